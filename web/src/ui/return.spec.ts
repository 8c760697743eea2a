import { describe, expect, it } from 'vitest'
import { loginAddress, returnPath } from './return'

const origin = 'https://lianqin.example'

describe('returnPath', () => {
  it.each([
    ['a page with all its parts', '/admin/?still=1#/audit', '/admin/?still=1#/audit'],
    ['nothing', '', '/'],
    ['another site', 'https://evil.example/', '/'],
    ['another site without its scheme', '//evil.example/', '/'],
    ['a backslash', '/\\evil.example', '/'],
    ['a tab within', '/\t/evil.example', '/'],
    ['dots that hide a host', '/.//evil.example', '/'],
    ['dots upwards that hide a host', '/a/..//evil.example', '/'],
    ['a script', 'javascript:alert(1)', '/'],
    ['itself', '/login/?next=/admin/', '/'],
    ['itself, without the slash', '/login', '/'],
    ['no absolute path', 'admin/', '/'],
  ])('%s', (_name, next, want) => {
    expect(returnPath(`?${new URLSearchParams({ next })}`, origin)).toBe(want)
  })

  it('comes back to where loginAddress left', () => {
    const address = loginAddress({ pathname: '/admin/', search: '?a=b', hash: '#/generations/1/2' })
    expect(returnPath(new URL(address, origin).search, origin)).toBe('/admin/?a=b#/generations/1/2')
    expect(loginAddress({ pathname: '/', search: '', hash: '' })).toBe('/login/')
  })
})
