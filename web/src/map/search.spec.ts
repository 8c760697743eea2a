import { describe, expect, it } from 'vitest'
import type { Grid } from '../api/grids'
import type { Street } from '../api/streets'
import { Finder } from './search'

const street = (code: string, name: string): Street => ({ code, name, seat: null, grids: 0, urban: 0, autonomous: 0, areaM2: 0 })
const anting = street('310114103', '安亭镇')
const jiading = street('310114004', '嘉定镇街道')
const grid = (code: string, name: string, of: Street): Grid => ({
  id: 1, code, name, kind: 'urban', street: of, department: { code: '', name: '' }, areaM2: 1, label: [0, 0],
})

const finder = new Finder(
  [anting, jiading],
  [
    grid('310114103A02', '塔庙村网格', anting),
    grid('310114103A01', '赵巷村网格', anting),
    grid('310114103U01', '安亭镇城区01网格', anting),
    grid('310114004U03', '嘉定镇街道城区03网格', jiading),
    grid('310114004A12', '桃园社区网格', jiading),
  ],
)
const codes = (query: string): string[] => finder.find(query).map((hit) => hit.code)

describe('Finder', () => {
  it.each([
    ['a part of a name', '巷村', ['310114103A01']],
    ['a whole code', '310114004U03', ['310114004U03']],
    ['small letters', '310114004u03', ['310114004U03']],
    ['the tail of a code', 'a12', ['310114004A12']],
    ['full-width letters', 'Ａ１２', ['310114004A12']],
    ['a street before its grids', '安亭', ['310114103', '310114103U01', '310114103A01', '310114103A02']],
    ['a street’s code', '310114103', ['310114103', '310114103A01', '310114103A02', '310114103U01']],
    ['two words, street and grid', '安亭 赵巷', ['310114103A01']],
    ['two words in the other order', '赵巷  安亭', ['310114103A01']],
    ['a word nowhere', '浦东', []],
    ['one word of two nowhere', '安亭 浦东', []],
    ['nothing', '   ', []],
  ])('%s', (_name, query, want) => {
    expect(codes(query)).toEqual(want)
  })
})
