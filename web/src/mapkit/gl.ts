/** What custom layers share: programs and colours. */

export interface Program<Name extends string> {
  readonly program: WebGLProgram
  readonly at: Readonly<Record<Name, WebGLUniformLocation | null>>
}

/** Compiles and links; a context that is lost meanwhile makes no fault of it. */
export function program<Name extends string>(gl: WebGL2RenderingContext, vertex: string, fragment: string, uniforms: readonly Name[]): Program<Name> {
  const made = gl.createProgram()
  for (const [kind, source] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]] as const) {
    const shader = gl.createShader(kind)
    if (!shader) throw new Error('no shader')
    gl.shaderSource(shader, source)
    gl.compileShader(shader)
    if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS) && !gl.isContextLost()) throw new Error(gl.getShaderInfoLog(shader) ?? 'shader')
    gl.attachShader(made, shader)
    gl.deleteShader(shader)
  }
  gl.linkProgram(made)
  if (!gl.getProgramParameter(made, gl.LINK_STATUS) && !gl.isContextLost()) throw new Error(gl.getProgramInfoLog(made) ?? 'program')
  return { program: made, at: Object.fromEntries(uniforms.map((name) => [name, gl.getUniformLocation(made, name)])) as Program<Name>['at'] }
}

/** A colour #rrggbb as three numbers from 0 to 1. */
export function rgb(colour: string): number[] {
  return [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16) / 255)
}
