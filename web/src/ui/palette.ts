/**
 * Every colour of the front end. Text colours keep 4.5:1 against `page`,
 * `panel` and the street tones; nothing is told by colour alone.
 */
export interface Palette {
  readonly page: string
  readonly panel: string
  readonly panelEdge: string
  readonly raised: string
  readonly text: string
  readonly textDim: string
  readonly accent: string
  readonly accentText: string
  readonly warning: string
  readonly urgent: string
  readonly focusRing: string
  readonly shadow: string

  /** Quiet tones for streets; neighbours get different ones. */
  readonly tones: readonly [string, string, string, string]
  /** The same tones for urban grids, a step nearer to the text. */
  readonly urbanTones: readonly [string, string, string, string]
  /** The dots that mark urban grids beside their tone. */
  readonly urbanDots: string
  readonly hover: string
  readonly chosen: string
  readonly gridLine: string
  readonly streetLine: string
  readonly outline: string
  readonly glow: string
  readonly mapText: string
  readonly mapTextDim: string
  readonly mapHalo: string
  readonly mark: string
  readonly markEdge: string

  /** Units by shape; `stale` is what those not heard of fade to, `edge` keeps them apart from the map. */
  readonly units: Readonly<Record<'circle' | 'triangle' | 'square' | 'stale' | 'edge', string>>
  /** The hatching of grids that are owed a visit. */
  readonly owed: string
  /** The heat of cases, from the least to the most; warm as cases are. */
  readonly heat: readonly [string, string, string, string, string, string]
  /** A track on the map, and its stops. */
  readonly track: string
  readonly stop: string

  /** A case that nothing presses; the pressing ones are `urgent` and `warning`. */
  readonly caseCalm: string

  /** Cameras want dark on light, whatever the theme. */
  readonly codeInk: string
  readonly codePaper: string

  /** What became of a grid between two generations; each has its hatching as well. */
  readonly change: Readonly<Record<'same' | 'redrawn' | 'split' | 'merged' | 'new' | 'gone', string>>
}

export type Theme = 'dark' | 'light'

export const palettes: Readonly<Record<Theme, Palette>> = {
  dark: {
    page: '#080d14',
    panel: '#0b121b',
    panelEdge: '#1b2937',
    raised: '#142130',
    text: '#dbe6ef',
    textDim: '#8aa0b3',
    accent: '#5be7e0',
    accentText: '#06181a',
    warning: '#ffb02e',
    urgent: '#ff5a4f',
    focusRing: '#5be7e0',
    shadow: '0 8px 32px rgba(0, 0, 0, 0.45)',
    tones: ['#1a2a3a', '#1d3140', '#17303a', '#202c42'],
    urbanTones: ['#24384b', '#284052', '#203f4a', '#2b3a55'],
    urbanDots: 'rgba(169, 201, 224, 0.42)',
    hover: '#35526b',
    chosen: '#2f5570',
    gridLine: '#456178',
    streetLine: '#6585a0',
    outline: '#a9c9e0',
    glow: '#3f86b8',
    mapText: '#e6eff6',
    mapTextDim: '#b3c4d2',
    mapHalo: '#0b141e',
    mark: '#5be7e0',
    markEdge: '#06121a',
    units: { circle: '#5be7e0', triangle: '#e3f58c', square: '#8fa6ff', stale: '#a9b0be', edge: '#06121a' },
    owed: '#8aa0b3',
    heat: ['#2c1c28', '#5f2a33', '#a2432f', '#e0752f', '#ffb85c', '#fff0c8'],
    track: '#5be7e0',
    stop: '#e3f58c',
    caseCalm: '#b8946f',
    codeInk: '#000000',
    codePaper: '#ffffff',
    change: { same: '#a9b0be', redrawn: '#ffb02e', split: '#6ea8ff', merged: '#d98be0', new: '#5fd38d', gone: '#ff6b60' },
  },
  light: {
    page: '#eef2f5',
    panel: '#ffffff',
    panelEdge: '#d3dde5',
    raised: '#edf2f6',
    text: '#15222e',
    textDim: '#51636f',
    accent: '#00666a',
    accentText: '#ffffff',
    warning: '#8a5400',
    urgent: '#b3261e',
    focusRing: '#00666a',
    shadow: '0 8px 28px rgba(35, 60, 80, 0.18)',
    tones: ['#dfe8ef', '#e6ece6', '#dbe9e9', '#e5e5f0'],
    urbanTones: ['#cbd9e4', '#d3dfd2', '#c4dcdc', '#d2d3e6'],
    urbanDots: 'rgba(38, 66, 90, 0.24)',
    hover: '#b4cadb',
    chosen: '#a9d3d6',
    gridLine: '#93a7b6',
    streetLine: '#718a9d',
    outline: '#3b5a72',
    glow: '#8fb3cc',
    mapText: '#15222e',
    mapTextDim: '#3e5260',
    mapHalo: '#f4f7f9',
    mark: '#00666a',
    markEdge: '#ffffff',
    units: { circle: '#007a80', triangle: '#6f7300', square: '#2f55d4', stale: '#6b7885', edge: '#ffffff' },
    owed: '#51636f',
    heat: ['#fbe7c6', '#f9c98a', '#ef9a50', '#d9642f', '#a83420', '#641414'],
    track: '#00666a',
    stop: '#6f7300',
    caseCalm: '#96683c',
    codeInk: '#000000',
    codePaper: '#ffffff',
    change: { same: '#5d6873', redrawn: '#a86a00', split: '#1f5fc4', merged: '#94359c', new: '#157a42', gone: '#c02a20' },
  },
}
