import { describe, expect, it } from 'vitest'
import { parseCoordinates } from './coordinates'

describe('parseCoordinates', () => {
  it.each([
    ['longitude first', '121.247, 31.383', [121.247, 31.383]],
    ['latitude first, by range', '31.383,121.247', [121.247, 31.383]],
    ['only a space between', '121.247 31.383', [121.247, 31.383]],
    ['a tab, as from a spreadsheet', '31.383\t121.247', [121.247, 31.383]],
    ['full-width digits and comma', '１２１．２４７，３１．３８３', [121.247, 31.383]],
    ['Chinese comma', '121.247、31.383', [121.247, 31.383]],
    ['brackets', '[121.247, 31.383]', [121.247, 31.383]],
    ['WKT', 'POINT (121.247 31.383)', [121.247, 31.383]],
    ['JSON', '{"lat":31.383,"lon":121.247}', [121.247, 31.383]],
    ['query string', 'lon=121.247&lat=31.383', [121.247, 31.383]],
    ['labels in Chinese', '经度：121.247 纬度：31.383', [121.247, 31.383]],
    ['letters behind', '31.383N 121.247E', [121.247, 31.383]],
    ['letters before', 'N31.383 E121.247', [121.247, 31.383]],
    ['letters with degrees', '31.383° N, 121.247° E', [121.247, 31.383]],
    ['one letter is enough', 'E121.247 31.383', [121.247, 31.383]],
    ['both fit in latitude: the order in China', '31.4, 87.6', [87.6, 31.4]],
    ['both fit in latitude, neither in China: longitude first', '12.5, 41.9', [12.5, 41.9]],
    ['a longitude of Xinjiang, longitude first', '87.6, 43.8', [87.6, 43.8]],
    ['southern and western', '34.6S 58.4W', [-58.4, -34.6]],
    ['negative', '-76.61, 39.29', [-76.61, 39.29]],
    ['whole degrees with a comma', '121,31', [121, 31]],
  ])('decimal: %s', (_name, text, want) => {
    expect(parseCoordinates(text)).toEqual(want)
  })

  const lon = 121 + 14 / 60 + 49.2 / 3600
  const lat = 31 + 22 / 60 + 58.8 / 3600
  it.each([
    ['degrees, minutes, seconds', `121°14'49.2"E 31°22'58.8"N`],
    ['latitude first', `31°22'58.8"N, 121°14'49.2"E`],
    ['typographic marks', '121°14′49.2″ 31°22′58.8″'],
    ['curly quotes', '121°14’49.2” 31°22’58.8”'],
    ['two single quotes', `121°14'49.2'' 31°22'58.8''`],
    ['Chinese marks', '东经121度14分49.2秒，北纬31度22分58.8秒'],
    ['spaces only', '121 14 49.2, 31 22 58.8'],
    ['spaces with letters', '31 22 58.8 N, 121 14 49.2 E'],
  ])('sexagesimal: %s', (_name, text) => {
    const got = parseCoordinates(text)
    expect(got).toBeInstanceOf(Array)
    expect(got![0]).toBeCloseTo(lon, 10)
    expect(got![1]).toBeCloseTo(lat, 10)
  })

  it('reads degrees and decimal minutes', () => {
    const got = parseCoordinates("121°14.82' 31°22.98'")
    expect(got![0]).toBeCloseTo(121.247, 10)
    expect(got![1]).toBeCloseTo(31.383, 10)
  })

  it.each([
    ['longitude beyond 180', '181.2, 31.3'],
    ['both beyond 90', '121.2, 131.3'],
    ['sixty minutes', `121°60'0" 31°22'0"`],
    ['sixty seconds', '121 14 60, 31 22 58.8'],
    ['two latitudes', '31.3N 31.4N'],
    ['sign and letter disagree', '-31.3N 121.2E'],
  ])('nowhere: %s', (_name, text) => {
    expect(parseCoordinates(text)).toBe('out-of-range')
  })

  it.each([
    ['empty', ''],
    ['a name', '安亭镇'],
    ['a code', '310114004U03'],
    ['a street code', '310114004'],
    ['one number', '121.247'],
    ['three numbers', '121.247, 31.383, 5.2'],
    ['two bare whole numbers', '03 12'],
    ['a number with a word', '121.247, 安亭'],
    ['a long run of digits', '1'.repeat(5000)],
    ['a long run of commas', ','.repeat(5000)],
  ])('not coordinates: %s', (_name, text) => {
    expect(parseCoordinates(text)).toBeNull()
  })
})
