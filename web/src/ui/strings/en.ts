import { adminEn } from './admin.en'
import { deskEn } from './desk.en'
import { figuresEn } from './figures.en'
import { heatEn } from './heat.en'
import { inspectionEn } from './inspection.en'
import { patrolEn } from './patrol.en'
import { reportEn } from './report.en'
import { settingsEn } from './settings.en'
import { wallEn } from './wall.en'
import type { Strings } from './zh'

export const en: Strings = {
  ...adminEn,
  ...deskEn,
  ...figuresEn,
  ...heatEn,
  ...inspectionEn,
  ...patrolEn,
  ...reportEn,
  ...settingsEn,
  ...wallEn,
  lang: 'en',
  brand: 'Lianqin',
  title: 'Responsibility grids',
  mapTitle: 'Map of responsibility grids. Arrow keys move, plus and minus zoom, Enter resolves the centre',
  otherLanguage: '中文',
  toDark: 'Switch to dark',
  toLight: 'Switch to light',
  zoomIn: 'Zoom in',
  zoomOut: 'Zoom out',
  home: 'Show whole district',
  close: 'Close',
  retry: 'Retry',
  loading: 'Loading grids…',
  counts: (streets, grids) => `${streets} streets · ${grids} grids`,

  kind: { urban: 'Urban grid', autonomous: 'Autonomous grid', unknown: 'Unclassified grid' },
  legendUrban: 'Urban (dotted)',
  legendAutonomous: 'Autonomous',

  search: {
    label: 'Find a grid, street or coordinates',
    placeholder: 'Grid name or code, or coordinates',
    clear: 'Clear',
    results: 'Results',
    none: (query) => `No grid or street has “${query}” in its name or code`,
    more: (shown, all) => `First ${shown} of ${all}`,
    count: (n) => `${n} results`,
    datum: 'Datum',
    locate: 'Locate',
    outOfRange: 'Out of range: longitude must lie within ±180, latitude within ±90, minutes and seconds below 60',
  },
  datum: { wgs84: 'WGS-84', gcj02: 'GCJ-02', bd09: 'BD-09' },
  datumHint: {
    wgs84: 'Satellite receivers; CGCS2000 too',
    gcj02: 'Amap, Tencent',
    bd09: 'Baidu',
  },

  streets: { heading: 'Streets', grids: 'Grids', urban: 'Urban', autonomous: 'Autonomous', area: 'Area', gridList: 'Grids' },

  card: {
    point: 'Resolution',
    resolving: 'Resolving…',
    code: 'Grid code',
    streetCode: 'Street code',
    street: 'Street',
    department: 'Responsible',
    border: 'To nearest border',
    area: 'Area',
    coordinates: 'Coordinates',
    generation: 'Generation',
    generationValue: (n, hash) => (hash ? `${n} · ${hash}` : String(n)),
    outside: 'Outside the district',
    outsideText: 'No grid is responsible here.',
    nearest: 'Nearest grid',
    nearestDistance: 'Away',
    showGrid: 'Show this grid',
    noDepartment: 'Not recorded',
    copy: 'Copy',
    copied: 'Copied',
    copyFailed: 'Not copied',
    copyLink: 'Copy link',
    copyAll: 'Copy all',
    copyWhat: (what) => `Copy ${what.toLowerCase()}`,
    missingGrid: (code) => `There is no grid ${code}; it may have been redrawn`,
    missingStreet: (code) => `There is no street ${code}`,
  },

  fault: {
    unreachable: 'The server cannot be reached',
    unreachableText: 'Please check the network. The page retries by itself.',
    invalid: 'Bad request',
    missing: 'Not found',
    busy: 'Too many requests; please wait a moment',
    notReady: 'The service is starting or unavailable',
    server: 'Server error',
    unreadable: 'The server’s answer is not understood; this page may be out of date, please reload',
    parameter: (name) => `parameter ${name}`,
    tiles: 'Part of the map could not be loaded',
  },
}
