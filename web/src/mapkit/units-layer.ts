/**
 * Units on the map: one instanced draw of all of them, moved on the GPU from
 * where they were seen to where they are. A tick costs one upload, a frame
 * between two ticks one number.
 */
import type { CustomLayerInterface, CustomRenderMethodInput, Map as MapLibre } from 'maplibre-gl'
import type { LonLat } from '../geometry/coord'
import { toPlane } from '../geometry/mercator'
import type { Palette } from '../ui/palette'
import { program, rgb } from './gl'
import type { GroundPlane } from './ground'

export type UnitShape = 'circle' | 'triangle' | 'square'

const SHAPES: readonly UnitShape[] = ['circle', 'triangle', 'square']

/** One unit as it is to be drawn. */
export interface UnitMark {
  readonly id: number
  readonly at: LonLat
  /** Clockwise from north; null draws no direction. */
  readonly headingDeg: number | null
  readonly shape: UnitShape
  /** Heard of lately; else it is hollow and pale. */
  readonly fresh: boolean
  /** Drawn above all others, with a ring. */
  readonly sos: boolean
}

/** A hand-over takes as long as the time between two ticks. */
const MOVE_MS = 1000
/** Units further apart than this between two ticks are not drawn on the way. Units of the plane: some 600 m here. */
const JUMP = 600 / 34_000_000
/** From this zoom on a moving unit moves by more than a pixel between two ticks. */
const SMOOTH_ZOOM = 14
/** From this zoom on units show where they head. */
const TIPS_ZOOM = 13
const PULSE_MS = 1500
const PALE = 0.6

/** Floats of one instance: x and y before and now, heading before and now, opacity before and now, shape, state. */
const STRIDE = 10
const X0 = 0
const Y0 = 1
const X1 = 2
const Y1 = 3
const H0 = 4
const H1 = 5
const A0 = 6
const A1 = 7
const SHAPE = 8
const STATE = 9
const NO_HEADING = -100
const [FRESH, STALE, SOS] = [0, 1, 2]

/** Makes float32 keep millimetres: positions are told from an origin in the district. */
const MAGNIFY = 1e6

const VERTEX = `#version 300 es
precision highp float;
uniform mat4 u_matrix;
uniform vec2 u_pixel;
uniform float u_part, u_radius, u_pass;
uniform int u_chosen;
layout(location=0) in vec2 a_corner;
layout(location=1) in vec4 a_way;
layout(location=2) in vec4 a_turn;
layout(location=3) in vec2 a_look;
out vec2 v_at;
flat out vec2 v_ahead;
flat out float v_heads, v_alpha, v_shape, v_state, v_chosen;
void main() {
  v_shape = a_look.x;
  v_chosen = gl_InstanceID == u_chosen ? 1.0 : 0.0;
  v_state = a_look.y;
  v_alpha = mix(a_turn.z, a_turn.w, u_part);
  v_heads = a_turn.y < -50.0 ? 0.0 : 1.0;
  float by = a_turn.y - a_turn.x;
  by -= 6.2831853 * floor((by + 3.14159265) / 6.2831853);
  float heading = a_turn.x < -50.0 ? a_turn.y : a_turn.x + by * u_part;
  v_ahead = vec2(sin(heading), cos(heading));
  v_at = a_corner * 2.3;
  bool mine = (v_state > 1.5 || v_chosen > 0.5) == (u_pass > 0.5);
  vec4 middle = u_matrix * vec4(mix(a_way.xy, a_way.zw, u_part), 0.0, 1.0);
  gl_Position = mine ? middle + vec4(v_at * u_radius * u_pixel * middle.w, 0.0, 0.0) : vec4(2.0, 2.0, 2.0, 1.0);
}`

// Distances are in radii of the body, negative inside.
const FRAGMENT = `#version 300 es
precision highp float;
uniform vec3 u_colours[3];
uniform vec3 u_stale, u_urgent, u_edge, u_ring;
uniform float u_pulse, u_tips;
in vec2 v_at;
flat in vec2 v_ahead;
flat in float v_heads, v_alpha, v_shape, v_state, v_chosen;
out vec4 colour;
float triangle(vec2 p) {
  p.y += 0.12;
  const float k = 1.7320508;
  p.x = abs(p.x) - 0.95;
  p.y = p.y + 0.95 / k;
  if (p.x + k * p.y > 0.0) p = vec2(p.x - k * p.y, -k * p.x - p.y) / 2.0;
  p.x -= clamp(p.x, -1.9, 0.0);
  return -length(p) * sign(p.y) - 0.22;
}
float square(vec2 p) {
  vec2 d = abs(p) - 0.62;
  return length(max(d, 0.0)) + min(max(d.x, d.y), 0.0) - 0.26;
}
void main() {
  float body = v_shape < 0.5 ? length(v_at) - 1.0 : v_shape < 1.5 ? triangle(v_at) : square(v_at);
  vec2 p = vec2(dot(v_at, vec2(v_ahead.y, -v_ahead.x)), dot(v_at, v_ahead));
  float tip = u_tips < 0.5 || v_heads < 0.5 || v_state > 0.5 && v_state < 1.5 ? 9.0 : max(max(abs(p.x) - (1.85 - p.y) * 0.6, p.y - 1.85), 0.6 - p.y);
  float whole = min(body, tip);
  float soft = fwidth(length(v_at));
  float inside = smoothstep(soft, -soft, whole);
  float edged = smoothstep(soft, -soft, whole - 0.3);
  vec3 fill = v_state > 1.5 ? u_urgent : u_colours[int(v_shape + 0.5)];
  if (v_state > 0.5 && v_state < 1.5) {
    fill = mix(fill, u_stale, 0.55);
    float hole = smoothstep(soft, -soft, whole + 0.45);
    fill = mix(fill, u_edge, hole);
  }
  vec4 c = vec4(mix(u_edge, fill, inside), max(inside, edged * 0.9));
  if (v_state > 1.5) {
    float at = 1.2 + u_pulse;
    float ring = smoothstep(0.22 + soft, 0.22, abs(length(v_at) - at)) * (1.0 - 0.75 * u_pulse);
    c = mix(vec4(u_urgent, ring), vec4(c.rgb, 1.0), c.a);
  }
  if (v_chosen > 0.5) {
    float ring = smoothstep(0.18 + soft, 0.18, abs(length(v_at) - 2.05));
    c = vec4(mix(c.rgb, u_ring, ring), max(c.a, ring));
  }
  float a = c.a * v_alpha;
  if (a < 0.01) discard;
  colour = vec4(c.rgb * a, a);
}`

const UNIFORMS = ['u_matrix', 'u_pixel', 'u_part', 'u_radius', 'u_pass', 'u_colours', 'u_stale', 'u_urgent', 'u_edge', 'u_pulse', 'u_tips', 'u_chosen', 'u_ring'] as const

interface Drawing {
  readonly gl: WebGL2RenderingContext
  readonly program: WebGLProgram
  readonly shape: WebGLVertexArrayObject
  readonly corners: WebGLBuffer
  readonly instances: WebGLBuffer
  readonly at: Readonly<Record<(typeof UNIFORMS)[number], WebGLUniformLocation | null>>
}

export class UnitsLayer implements CustomLayerInterface {
  readonly type = 'custom' as const
  readonly renderingMode = '2d' as const

  private map: MapLibre | null = null
  private drawing: Drawing | null = null
  private colours = new Float32Array(9)
  private stale = new Float32Array(3)
  private urgent = new Float32Array(3)
  private edge = new Float32Array(3)
  private ring = new Float32Array(3)
  private chosen = 0

  private data = new Float32Array(0)
  private count = 0
  private readonly slots = new Map<number, number>()
  private ids: number[] = []
  private changed = false
  private since = 0
  private alarms = 0
  private timer: ReturnType<typeof setTimeout> | undefined
  private readonly origin: { readonly x: number; readonly y: number }

  /** `origin` lies in or near the district; `still` shows every tick at once. */
  constructor(
    readonly id: string,
    origin: LonLat,
    private readonly still: boolean,
    private scale: number,
    private readonly plane: GroundPlane,
  ) {
    this.origin = toPlane(plane.to(origin))
  }

  setLook(palette: Palette, scale: number): void {
    this.scale = scale
    this.colours.set(SHAPES.flatMap((shape) => rgb(palette.units[shape])))
    this.stale.set(rgb(palette.units.stale))
    this.urgent.set(rgb(palette.urgent))
    this.edge.set(rgb(palette.units.edge))
    this.ring.set(rgb(palette.mapText))
    this.map?.triggerRepaint()
  }

  /** Shows exactly `marks` from now on: those of before move, those that are gone fade away. */
  show(marks: Iterable<UnitMark>, now = performance.now()): void {
    this.settle(now)
    const seen = new Set<number>()
    this.alarms = 0
    for (const mark of marks) {
      seen.add(mark.id)
      if (mark.sos) this.alarms++
      this.put(mark)
    }
    for (const [id, slot] of this.slots) if (!seen.has(id)) this.data[slot * STRIDE + A1] = 0
    this.since = now
    this.changed = true
    this.map?.triggerRepaint()
  }

  /** Puts a ring round a unit, or round none (0). */
  choose(id: number): void {
    this.chosen = id
    this.map?.triggerRepaint()
  }

  /** The unit drawn nearest to a pixel of the map, within `reach` pixels; 0 for none. */
  pick(x: number, y: number, reach: number): number {
    if (!this.map) return 0
    const part = this.part(performance.now())
    // Without rotation or pitch the plane and the screen differ by a shift and a scale.
    const zero = this.map.project([0, 0])
    const side = this.map.project([90, 0]).x - zero.x
    let best = 0
    let least = reach * reach
    for (const [id, slot] of this.slots) {
      const o = slot * STRIDE
      if (this.data[o + A1] === 0) continue
      const px = zero.x + (this.between(o + X0, part) / MAGNIFY + this.origin.x - 0.5) * side * 4
      const py = zero.y + (this.between(o + Y0, part) / MAGNIFY + this.origin.y - 0.5) * side * 4
      const d = (px - x) ** 2 + (py - y) ** 2
      if (d < least) [best, least] = [id, d]
    }
    return best
  }

  onAdd(map: MapLibre, gl: WebGLRenderingContext | WebGL2RenderingContext): void {
    if (!(gl instanceof WebGL2RenderingContext)) throw new Error('units need WebGL 2')
    this.map = map
    this.drawing = prepare(gl)
    this.changed = true
  }

  onRemove(): void {
    clearTimeout(this.timer)
    if (this.drawing) {
      const { gl, program, shape, corners, instances } = this.drawing
      gl.deleteProgram(program)
      gl.deleteVertexArray(shape)
      gl.deleteBuffer(corners)
      gl.deleteBuffer(instances)
    }
    this.drawing = null
    this.map = null
  }

  render(_gl: WebGLRenderingContext | WebGL2RenderingContext, { defaultProjectionData }: CustomRenderMethodInput): void {
    this.draw(0, defaultProjectionData.mainMatrix)
    this.again(this.part(performance.now()) < 1)
  }

  /** The layer of those who call for help and of the one that is chosen, to go above everything. */
  get above(): CustomLayerInterface {
    return {
      id: `${this.id}-above`,
      type: 'custom',
      renderingMode: '2d',
      render: (_gl, { defaultProjectionData }) => {
        if (this.alarms > 0 || this.slots.has(this.chosen)) this.draw(1, defaultProjectionData.mainMatrix)
      },
    }
  }

  /** Draws the units of one pass: 0 those below labels, 1 those above everything. */
  private draw(pass: 0 | 1, matrix: ArrayLike<number>): void {
    const { map, drawing } = this
    if (!map || !drawing || this.count === 0) return
    const { gl, program, shape, instances, at } = drawing
    const now = performance.now()
    gl.useProgram(program)
    gl.bindVertexArray(shape)
    if (this.changed) {
      gl.bindBuffer(gl.ARRAY_BUFFER, instances)
      gl.bufferData(gl.ARRAY_BUFFER, this.data.subarray(0, this.count * STRIDE), gl.DYNAMIC_DRAW)
      this.changed = false
    }
    const part = this.part(now)
    const canvas = map.getCanvas()
    gl.uniformMatrix4fv(at.u_matrix, false, this.fromOrigin(matrix))
    gl.uniform2f(at.u_pixel, 2 / canvas.clientWidth, 2 / canvas.clientHeight)
    gl.uniform1f(at.u_part, part)
    gl.uniform1f(at.u_radius, this.radius(map.getZoom()))
    gl.uniform3fv(at.u_colours, this.colours)
    gl.uniform3fv(at.u_stale, this.stale)
    gl.uniform3fv(at.u_urgent, this.urgent)
    gl.uniform3fv(at.u_edge, this.edge)
    gl.uniform1f(at.u_pulse, this.still ? 0.4 : (now / PULSE_MS) % 1)
    gl.uniform1i(at.u_chosen, this.slots.get(this.chosen) ?? -1)
    gl.uniform3fv(at.u_ring, this.ring)
    gl.uniform1f(at.u_tips, map.getZoom() >= TIPS_ZOOM ? 1 : 0)
    gl.enable(gl.BLEND)
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA)
    gl.disable(gl.DEPTH_TEST)
    gl.disable(gl.STENCIL_TEST)
    gl.uniform1f(at.u_pass, pass)
    gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, this.count)
    gl.bindVertexArray(null)
  }

  /** Pixels from a unit's middle to its edge. */
  private radius(zoom: number): number {
    const near = Math.min(1, Math.max(0, (zoom - Math.log2(this.scale) - 10.5) / 4))
    return (3.4 + 4.6 * near) * this.scale
  }

  private again(moving: boolean): void {
    if (this.still || !this.map) return
    if (moving) this.map.triggerRepaint()
    else if (this.alarms > 0) {
      clearTimeout(this.timer)
      this.timer = setTimeout(() => this.map?.triggerRepaint(), 100)
    }
  }

  /** How much of the way from before to now is covered at `now`. */
  private part(now: number): number {
    if (this.still || !this.map || this.map.getZoom() < SMOOTH_ZOOM) return 1
    return Math.min(1, Math.max(0, (now - this.since) / MOVE_MS))
  }

  private between(at: number, part: number): number {
    const [before, after] = [this.data[at] ?? 0, this.data[at + 2] ?? 0]
    return before + (after - before) * part
  }

  /** What is drawn now becomes what was before; what has faded goes. */
  private settle(now: number): void {
    const part = this.part(now)
    for (let slot = this.count - 1; slot >= 0; slot--) {
      const o = slot * STRIDE
      if (this.data[o + A1] === 0 && part === 1) {
        this.drop(slot)
        continue
      }
      this.data[o + X0] = this.between(o + X0, part)
      this.data[o + Y0] = this.between(o + Y0, part)
      this.data[o + H0] = this.data[o + H1] ?? NO_HEADING
      this.data[o + A0] = this.data[o + A0]! + (this.data[o + A1]! - this.data[o + A0]!) * part
    }
  }

  /** The last slot takes the place of `slot`. */
  private drop(slot: number): void {
    const last = --this.count
    this.slots.delete(this.ids[slot]!)
    if (slot !== last) {
      this.data.copyWithin(slot * STRIDE, last * STRIDE, (last + 1) * STRIDE)
      this.ids[slot] = this.ids[last]!
      this.slots.set(this.ids[slot]!, slot)
    }
    this.ids.length = last
  }

  private put({ id, at, headingDeg, shape, fresh, sos }: UnitMark): void {
    const known = this.slots.get(id)
    const o = (known ?? this.add(id)) * STRIDE
    const plane = toPlane(this.plane.to(at))
    const [x, y] = [(plane.x - this.origin.x) * MAGNIFY, (plane.y - this.origin.y) * MAGNIFY]
    const heading = headingDeg === null ? NO_HEADING : (headingDeg * Math.PI) / 180
    const { data } = this
    const far = Math.hypot(data[o + X0]! - x, data[o + Y0]! - y) > JUMP * MAGNIFY
    if (known === undefined || far) [data[o + X0], data[o + Y0], data[o + H0]] = [x, y, heading]
    if (known === undefined) data[o + A0] = 0
    data[o + X1] = x
    data[o + Y1] = y
    data[o + H1] = heading
    data[o + A1] = fresh || sos ? 1 : PALE
    data[o + SHAPE] = SHAPES.indexOf(shape)
    data[o + STATE] = sos ? SOS! : fresh ? FRESH! : STALE!
  }

  private add(id: number): number {
    const slot = this.count++
    if (this.count * STRIDE > this.data.length) {
      const grown = new Float32Array(Math.max(64, Math.ceil(this.count * 1.5)) * STRIDE)
      grown.set(this.data)
      this.data = grown
    }
    this.slots.set(id, slot)
    this.ids[slot] = id
    return slot
  }

  /** The map's matrix for positions told from the origin, magnified. */
  private fromOrigin(m: ArrayLike<number>): Float32Array {
    const out = new Float32Array(16)
    for (let row = 0; row < 4; row++) {
      out[row] = m[row]! / MAGNIFY
      out[4 + row] = m[4 + row]! / MAGNIFY
      out[8 + row] = m[8 + row]!
      out[12 + row] = m[row]! * this.origin.x + m[4 + row]! * this.origin.y + m[12 + row]!
    }
    return out
  }
}

function prepare(gl: WebGL2RenderingContext): Drawing {
  const made = program(gl, VERTEX, FRAGMENT, UNIFORMS)
  const shape = gl.createVertexArray()
  gl.bindVertexArray(shape)
  const corners = gl.createBuffer()
  gl.bindBuffer(gl.ARRAY_BUFFER, corners)
  gl.bufferData(gl.ARRAY_BUFFER, new Float32Array([-1, -1, 1, -1, -1, 1, 1, 1]), gl.STATIC_DRAW)
  gl.enableVertexAttribArray(0)
  gl.vertexAttribPointer(0, 2, gl.FLOAT, false, 0, 0)
  const instances = gl.createBuffer()
  gl.bindBuffer(gl.ARRAY_BUFFER, instances)
  for (const [place, size, from] of [[1, 4, X0], [2, 4, H0], [3, 2, SHAPE]] as const) {
    gl.enableVertexAttribArray(place)
    gl.vertexAttribPointer(place, size, gl.FLOAT, false, STRIDE * 4, from * 4)
    gl.vertexAttribDivisor(place, 1)
  }
  gl.bindVertexArray(null)
  return { gl, ...made, shape, corners, instances }
}
