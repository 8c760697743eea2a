/**
 * The heat of cases: a series of surfaces over one raster, drawn as one quad
 * whose texture holds them all. A step in time costs one number.
 */
import type { CustomLayerInterface, CustomRenderMethodInput, Map as MapLibre } from 'maplibre-gl'
import type { Bounds } from '../geometry/coord'
import { toPlane } from '../geometry/mercator'
import type { Palette } from '../ui/palette'
import { program, rgb } from './gl'
import type { GroundPlane } from './ground'

/** Surfaces of equal size, one after the other in time; the first byte of each is the cell in the south-west. */
export interface HeatSurfaces {
  readonly bounds: Bounds
  readonly width: number
  readonly height: number
  readonly frames: readonly Uint8Array[]
}

const VERTEX = `#version 300 es
uniform mat4 u_matrix;
layout(location=0) in vec4 a_corner;
out vec2 v_at;
void main() {
  v_at = a_corner.zw;
  gl_Position = u_matrix * vec4(a_corner.xy, 0.0, 1.0);
}`

// A cubic B-spline in four bilinear reads hides the lattice of the cells.
const FRAGMENT = `#version 300 es
precision highp float;
precision highp sampler2DArray;
uniform sampler2DArray u_frames;
uniform vec2 u_size;
uniform float u_time, u_last, u_opacity;
uniform vec3 u_tones[6];
in vec2 v_at;
out vec4 colour;
float heat(float frame) {
  vec2 p = v_at * u_size - 0.5, i = floor(p), f = p - i;
  vec2 w0 = (1.0 - f) * (1.0 - f) * (1.0 - f) / 6.0;
  vec2 w1 = (4.0 - 6.0 * f * f + 3.0 * f * f * f) / 6.0;
  vec2 w2 = (1.0 + 3.0 * f + 3.0 * f * f - 3.0 * f * f * f) / 6.0;
  vec2 w3 = f * f * f / 6.0;
  vec2 g0 = w0 + w1, g1 = w2 + w3;
  vec2 lo = (i - 0.5 + w1 / g0) / u_size, hi = (i + 1.5 + w3 / g1) / u_size;
  return g0.y * (g0.x * texture(u_frames, vec3(lo.x, lo.y, frame)).r + g1.x * texture(u_frames, vec3(hi.x, lo.y, frame)).r)
       + g1.y * (g0.x * texture(u_frames, vec3(lo.x, hi.y, frame)).r + g1.x * texture(u_frames, vec3(hi.x, hi.y, frame)).r);
}
void main() {
  float before = floor(u_time);
  float v = mix(heat(before), heat(min(before + 1.0, u_last)), u_time - before);
  float at = clamp(v, 0.0, 0.999) * 5.0;
  int tone = int(at);
  float a = smoothstep(0.02, 0.22, v) * u_opacity;
  colour = vec4(mix(u_tones[tone], u_tones[min(tone + 1, 5)], at - float(tone)) * a, a);
}`

const UNIFORMS = ['u_matrix', 'u_frames', 'u_size', 'u_time', 'u_last', 'u_opacity', 'u_tones'] as const
const OPACITY = 0.8
/** Cases themselves are drawn from about here on; the heat under them pales. */
const PALE_ZOOM = 14

interface Drawing {
  readonly gl: WebGL2RenderingContext
  readonly program: WebGLProgram
  readonly at: Readonly<Record<(typeof UNIFORMS)[number], WebGLUniformLocation | null>>
  readonly quad: WebGLVertexArrayObject
  readonly corners: WebGLBuffer
  readonly texture: WebGLTexture
}

export class HeatLayer implements CustomLayerInterface {
  readonly type = 'custom' as const
  readonly renderingMode = '2d' as const
  private map: MapLibre | null = null
  private drawing: Drawing | null = null
  private surfaces: HeatSurfaces | null = null
  private changed = false
  private time = 0
  private tones = new Float32Array(18)
  private origin = { x: 0, y: 0 }

  constructor(
    readonly id: string,
    private readonly plane: GroundPlane,
  ) {}

  setLook(palette: Palette): void {
    this.tones.set(palette.heat.flatMap(rgb))
    this.map?.triggerRepaint()
  }

  /** Shows `surfaces` at its first frame, or nothing. */
  show(surfaces: HeatSurfaces | null): void {
    this.surfaces = surfaces
    this.time = 0
    this.changed = true
    this.map?.triggerRepaint()
  }

  /** The frame to show; between two, both are mixed. */
  setTime(time: number): void {
    this.time = Math.min(Math.max(0, time), Math.max(0, (this.surfaces?.frames.length ?? 1) - 1))
    this.map?.triggerRepaint()
  }

  onAdd(map: MapLibre, gl: WebGLRenderingContext | WebGL2RenderingContext): void {
    if (!(gl instanceof WebGL2RenderingContext)) throw new Error('heat needs WebGL 2')
    this.map = map
    const made = program(gl, VERTEX, FRAGMENT, UNIFORMS)
    const quad = gl.createVertexArray()
    gl.bindVertexArray(quad)
    const corners = gl.createBuffer()
    gl.bindBuffer(gl.ARRAY_BUFFER, corners)
    gl.enableVertexAttribArray(0)
    gl.vertexAttribPointer(0, 4, gl.FLOAT, false, 0, 0)
    gl.bindVertexArray(null)
    this.drawing = { gl, ...made, quad, corners, texture: gl.createTexture() }
    this.changed = true
  }

  onRemove(): void {
    if (this.drawing) {
      const { gl, program: made, quad, corners, texture } = this.drawing
      gl.deleteProgram(made)
      gl.deleteVertexArray(quad)
      gl.deleteBuffer(corners)
      gl.deleteTexture(texture)
    }
    this.drawing = null
    this.map = null
  }

  render(_gl: WebGLRenderingContext | WebGL2RenderingContext, { defaultProjectionData }: CustomRenderMethodInput): void {
    const { drawing, surfaces, map } = this
    if (!drawing || !surfaces || !map || surfaces.frames.length === 0) return
    const { gl, at } = drawing
    if (this.changed) this.upload(drawing, surfaces)
    gl.useProgram(drawing.program)
    gl.bindVertexArray(drawing.quad)
    gl.activeTexture(gl.TEXTURE0)
    gl.bindTexture(gl.TEXTURE_2D_ARRAY, drawing.texture)
    gl.uniform1i(at.u_frames, 0)
    gl.uniformMatrix4fv(at.u_matrix, false, this.fromOrigin(defaultProjectionData.mainMatrix))
    gl.uniform2f(at.u_size, surfaces.width, surfaces.height)
    gl.uniform1f(at.u_time, this.time)
    gl.uniform1f(at.u_last, surfaces.frames.length - 1)
    gl.uniform1f(at.u_opacity, OPACITY * Math.min(1, Math.max(0.35, PALE_ZOOM + 0.5 - map.getZoom())))
    gl.uniform3fv(at.u_tones, this.tones)
    gl.enable(gl.BLEND)
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA)
    gl.disable(gl.DEPTH_TEST)
    gl.disable(gl.STENCIL_TEST)
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4)
    gl.bindTexture(gl.TEXTURE_2D_ARRAY, null)
    gl.bindVertexArray(null)
  }

  private upload({ gl, corners, texture }: Drawing, { bounds, width, height, frames }: HeatSurfaces): void {
    this.changed = false
    const [west, south, east, north] = this.plane.bounds(bounds)
    const [a, b] = [toPlane([west, south]), toPlane([east, north])]
    this.origin = a
    const [x, y] = [b.x - a.x, b.y - a.y]
    gl.bindBuffer(gl.ARRAY_BUFFER, corners)
    gl.bufferData(gl.ARRAY_BUFFER, new Float32Array([0, 0, 0, 0, x, 0, 1, 0, 0, y, 0, 1, x, y, 1, 1]), gl.STATIC_DRAW)
    const all = new Uint8Array(width * height * frames.length)
    frames.forEach((frame, i) => all.set(frame, i * width * height))
    gl.bindTexture(gl.TEXTURE_2D_ARRAY, texture)
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1)
    gl.pixelStorei(gl.UNPACK_FLIP_Y_WEBGL, false)
    gl.texImage3D(gl.TEXTURE_2D_ARRAY, 0, gl.R8, width, height, frames.length, 0, gl.RED, gl.UNSIGNED_BYTE, all)
    for (const name of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D_ARRAY, name, gl.LINEAR)
    for (const name of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) gl.texParameteri(gl.TEXTURE_2D_ARRAY, name, gl.CLAMP_TO_EDGE)
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 4)
    gl.bindTexture(gl.TEXTURE_2D_ARRAY, null)
  }

  /** The map's matrix for positions told from the south-west of the raster. */
  private fromOrigin(m: ArrayLike<number>): Float32Array {
    const out = Float32Array.from(m)
    for (let row = 0; row < 4; row++) out[12 + row] = m[row]! * this.origin.x + m[4 + row]! * this.origin.y + m[12 + row]!
    return out
  }
}
