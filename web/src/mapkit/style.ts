import type { ExpressionSpecification, LayerSpecification, RasterLayerSpecification, StyleSpecification } from 'maplibre-gl'
import type { Palette, Theme } from '../ui/palette'
import { palettes } from '../ui/palette'
import type { Ground } from './ground'
import { BARE, groundLayers, groundName, groundSource } from './ground'

/** Everything that decides how the district is drawn. */
export interface Look {
  readonly theme: Theme
  /** Sizes relative to a 1080p screen: 2 on a wall of 3840 pixels. */
  readonly scale: number
  /** Street code → number of its tone. */
  readonly tones: ReadonlyMap<string, number>
  /** Streets whose code or name is left out of the labels of their grids. */
  readonly streets: readonly { readonly code: string; readonly name: string }[]
}

export const GRIDS = 'grids'
export const HOVERED = 'hovered'
export const CHOSEN = 'chosen'
export const ANSWER = 'answer'

/** The name of the texture of urban grids in `theme`. */
export const stippleName = (theme: Theme): string => `urban-${theme}`

/** The name of the hatching of grids that are owed a visit in `theme`. */
export const owedName = (theme: Theme): string => `owed-${theme}`

/** The layer of that hatching; its filter says which grids. */
export const OWED = 'grid-owed'

/** The lowest label: what moves goes before it. */
export const LOWEST_LABEL = 'label-grid-code'

/** The clear image that keeps labels off the marked point. */
export const ROOM = 'room'

const NOTHING = { type: 'FeatureCollection' as const, features: [] }
const FONT = ['Inter Variable', 'Noto Sans CJK SC', 'PingFang SC', 'Microsoft YaHei']
const BOLD = ['Bold', ...FONT]

/** What the names of most grids end in; the map leaves it out. */
const SUFFIXES = ['居委会', '村委会', '网格']

/**
 * The district in `look`, grids from `tiles` ({z}/{x}/{y}). It names neither
 * glyphs nor sprites: text is drawn from local fonts, textures are added by
 * the map.
 */
export function districtStyle(tiles: string, look: Look, ground: Ground = BARE): StyleSpecification {
  return {
    version: 8,
    sources: {
      ...Object.fromEntries(ground.layers.map((layer, i) => [groundName(i), groundSource(layer)])),
      [GRIDS]: { type: 'vector', tiles: [tiles], minzoom: 8, maxzoom: 16, promoteId: { grids: 'id' } },
      [HOVERED]: { type: 'geojson', data: NOTHING },
      [CHOSEN]: { type: 'geojson', data: NOTHING },
      [ANSWER]: { type: 'geojson', data: NOTHING },
    },
    layers: districtLayers(look, ground),
  }
}

/** The lowest layer that belongs to grids; what lies beneath the district goes before it. */
export const LOWEST = 'grid-area'

/** The layers of the district, lowest first. Their ids and order do not depend on `look`. */
export function districtLayers(look: Look, ground: Ground = BARE): LayerSpecification[] {
  const p = palettes[look.theme]
  return [
    { id: 'page', type: 'background', paint: { 'background-color': p.page } },
    ...groundLayers(ground, look.theme),
    ...areas(p, look, ground.layers.length > 0 ? OVER_GROUND : 1),
    ...borders(p, look.scale),
    ...marks(p, look.scale),
    ...labels(p, look),
  ]
}

/** The halo, full from afar; near the outline it is but a trace. */
export function glowLayer(source: string, scale: number): RasterLayerSpecification {
  const dz = Math.log2(scale)
  return {
    id: 'glow',
    type: 'raster',
    source,
    paint: { 'raster-fade-duration': 0, 'raster-opacity': ['interpolate', ['linear'], ['zoom'], 11 + dz, 1, 14 + dz, 0.2] },
  }
}

/** How much of a base map the tones of the streets hide. */
const OVER_GROUND = 0.4

function areas(p: Palette, look: Look, opacity: number): LayerSpecification[] {
  const state = (name: string): ExpressionSpecification => ['boolean', ['feature-state', name], false]
  const urban: ExpressionSpecification = ['==', ['get', 'kind'], 'urban']
  return [
    {
      id: LOWEST,
      type: 'fill',
      source: GRIDS,
      'source-layer': 'grids',
      paint: {
        'fill-color': ['case', state('chosen'), p.chosen, state('hovered'), p.hover, urban, byStreet(look.tones, p.urbanTones), byStreet(look.tones, p.tones)],
        'fill-antialias': false,
        'fill-opacity': opacity,
      },
    },
    {
      id: 'grid-urban',
      type: 'fill',
      source: GRIDS,
      'source-layer': 'grids',
      filter: urban,
      paint: { 'fill-pattern': stippleName(look.theme), 'fill-antialias': false },
    },
    {
      id: OWED,
      type: 'fill',
      source: GRIDS,
      'source-layer': 'grids',
      filter: gridsIn([]),
      paint: { 'fill-pattern': owedName(look.theme), 'fill-opacity': 0.5, 'fill-antialias': false },
    },
  ]
}

/** Whether a grid is one of `ids`. */
export function gridsIn(ids: readonly number[]): ExpressionSpecification {
  return ['in', ['get', 'id'], ['literal', [...ids]]]
}

function byStreet(tones: ReadonlyMap<string, number>, colours: readonly string[]): ExpressionSpecification | string {
  const base = colours[0] ?? '#000'
  if (tones.size === 0) return base
  const arms = [...tones].flatMap(([code, tone]) => [code, colours[tone % colours.length] ?? base])
  return ['match', ['get', 'street'], ...arms, base] as unknown as ExpressionSpecification
}

function borders(p: Palette, scale: number): LayerSpecification[] {
  const dz = Math.log2(scale)
  const line = (level: string, colour: string, widths: [number, number], opacities: [number, number]): LayerSpecification => ({
    id: `border-${level}`,
    type: 'line',
    source: GRIDS,
    'source-layer': 'borders',
    filter: ['==', ['get', 'level'], level],
    layout: { 'line-join': 'round', 'line-cap': 'round' },
    paint: {
      'line-color': colour,
      'line-width': ['interpolate', ['linear'], ['zoom'], 10 + dz, widths[0] * scale, 15 + dz, widths[1] * scale],
      'line-opacity': ['interpolate', ['linear'], ['zoom'], 10 + dz, opacities[0], 13 + dz, opacities[1]],
    },
  })
  return [
    line('grid', p.gridLine, [0.7, 1.4], [0.75, 1]),
    line('street', p.streetLine, [1.1, 2.2], [0.9, 1]),
    line('district', p.outline, [1.7, 2.6], [1, 1]),
  ]
}

/** The grid under the pointer, the chosen one, and the answer for a point. */
function marks(p: Palette, scale: number): LayerSpecification[] {
  const part = (name: string): ExpressionSpecification => ['==', ['get', 'part'], name]
  const joined = { 'line-join': 'round', 'line-cap': 'round' } as const
  return [
    { id: 'hovered', type: 'line', source: HOVERED, layout: joined, paint: { 'line-color': p.outline, 'line-width': 1.4 * scale } },
    { id: 'chosen-edge', type: 'line', source: CHOSEN, layout: joined, paint: { 'line-color': p.markEdge, 'line-width': 5 * scale, 'line-opacity': 0.7 } },
    { id: 'chosen', type: 'line', source: CHOSEN, layout: joined, paint: { 'line-color': p.mark, 'line-width': 2.2 * scale } },
    {
      id: 'answer-line', type: 'line', source: ANSWER, filter: part('line'),
      paint: { 'line-color': p.mapText, 'line-width': 1.6 * scale, 'line-dasharray': [2, 2] },
    },
    {
      id: 'answer-foot', type: 'circle', source: ANSWER, filter: part('foot'),
      paint: { 'circle-radius': 3 * scale, 'circle-color': p.mapText, 'circle-stroke-color': p.markEdge, 'circle-stroke-width': scale },
    },
    {
      id: 'answer-halo', type: 'circle', source: ANSWER, filter: part('point'),
      paint: { 'circle-radius': 12 * scale, 'circle-color': p.mark, 'circle-opacity': 0.22 },
    },
    {
      id: 'answer-point', type: 'circle', source: ANSWER, filter: part('point'),
      paint: { 'circle-radius': 5 * scale, 'circle-color': p.mark, 'circle-stroke-color': p.markEdge, 'circle-stroke-width': 2 * scale },
    },
  ]
}

/** Streets from afar, grid codes nearer, grid names nearest. A later layer wins the room. */
function labels(p: Palette, look: Look): LayerSpecification[] {
  const { scale } = look
  const dz = Math.log2(scale)
  const code = withoutPrefix('code', look.streets.map((s) => s.code))
  const name = withoutSuffix(withoutPrefix('name', look.streets.map((s) => s.name)), SUFFIXES)
  const kind = (value: string): ExpressionSpecification => ['==', ['get', 'kind'], value]
  const halo = { 'text-halo-color': p.mapHalo, 'text-halo-width': 1.4 * scale }
  const label = { type: 'symbol', source: GRIDS, 'source-layer': 'labels' } as const
  return [
    {
      ...label, id: LOWEST_LABEL, filter: kind('grid'), minzoom: 11.8 + dz, maxzoom: 12.8 + dz,
      layout: { 'text-field': code, 'text-font': FONT, 'text-size': 11 * scale, 'text-padding': 3 * scale },
      paint: { 'text-color': p.mapTextDim, ...halo },
    },
    {
      ...label, id: 'label-grid-name', filter: kind('grid'), minzoom: 12.8 + dz,
      layout: {
        'text-field': ['format', name, {}, '\n', {}, code, { 'font-scale': 0.85, 'text-color': p.mapTextDim }],
        'text-font': FONT,
        'text-size': ['interpolate', ['linear'], ['zoom'], 12.8 + dz, 12 * scale, 15 + dz, 15 * scale],
        'text-max-width': 8,
        'text-line-height': 1.35,
        'text-variable-anchor': ['center', 'top', 'bottom'],
        'text-radial-offset': 1.2,
        'text-padding': 6 * scale,
      },
      paint: { 'text-color': p.mapText, ...halo },
    },
    {
      ...label, id: 'label-street', filter: kind('street'), maxzoom: 13.4 + dz,
      layout: {
        'text-field': ['get', 'name'],
        'text-font': BOLD,
        'text-size': ['interpolate', ['linear'], ['zoom'], 9.2 + dz, 11 * scale, 11 + dz, 14 * scale, 13 + dz, 18 * scale],
        'text-letter-spacing': 0.04,
        'text-max-width': 20,
        'text-padding': 2 * scale,
        // Small streets in the middle step aside for each other.
        'text-variable-anchor': ['center', 'bottom', 'top', 'left', 'right'],
        'text-radial-offset': 0.25,
      },
      paint: { 'text-color': p.mapText, 'text-halo-color': p.mapHalo, 'text-halo-width': 1.8 * scale },
    },
    {
      id: 'answer-distance', type: 'symbol', source: ANSWER, filter: ['==', ['get', 'part'], 'line'],
      layout: {
        'symbol-placement': 'line-center', 'text-field': ['get', 'label'], 'text-font': FONT, 'text-size': 12 * scale,
        'text-offset': [0, -0.9], 'text-allow-overlap': true,
      },
      paint: { 'text-color': p.mapText, ...halo },
    },
    {
      id: 'answer-room', type: 'symbol', source: ANSWER, filter: ['==', ['get', 'part'], 'point'],
      layout: { 'icon-image': ROOM, 'icon-allow-overlap': true },
    },
  ]
}

/** The property `key` without whichever of `prefixes` it starts with. */
function withoutPrefix(key: string, prefixes: readonly string[]): ExpressionSpecification {
  const known = prefixes.filter((prefix) => prefix !== '')
  if (known.length === 0) return ['get', key]
  const arms = known.flatMap((prefix) => [['==', ['slice', ['get', key], 0, prefix.length], prefix], ['slice', ['get', key], prefix.length]])
  return ['case', ...arms, ['get', key]] as unknown as ExpressionSpecification
}

function withoutSuffix(text: ExpressionSpecification, suffixes: readonly string[]): ExpressionSpecification {
  const whole: ExpressionSpecification = ['var', 'whole']
  const arms = suffixes.flatMap((suffix) => [
    ['all', ['>', ['length', whole], suffix.length], ['==', ['slice', whole, -suffix.length], suffix]],
    ['slice', whole, 0, -suffix.length],
  ])
  return ['let', 'whole', text, ['case', ...arms, whole]] as unknown as ExpressionSpecification
}
