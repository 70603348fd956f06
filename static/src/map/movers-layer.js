// People on the map: one WebGL2 layer drawing every unit in a single call.
//
// GeoJSON sources re-tile 20,000 moving points in the workers each second and choke; a buffer upload does not. Positions
// go up as float32 relative to an origin near the district (a float32 of a world coordinate is metres wide), and the
// origin is folded into the matrix in float64. A fix glides to its new place in the vertex shader.
import { groupOf, GROUPS } from '../ui/levels.js';
import { BUSY, GLIDE_MS, NO_HEADING, OFFLINE, ON_DUTY, STALE } from '../telemetry.js';
import { paletteOf } from './palette.js';

/** @import {Movers} from '../telemetry.js' */

const STRIDE = 24;
/** A fix older than this is drawn as stale, s. */
const STALE_S = 36;
/** From this zoom on people are shapes; below, dots: arrows at county zoom are a carpet that hides the incidents. */
export const SHAPE_ZOOM = 13;
/** Above this many units, or when a frame takes longer than this, fixes jump instead of gliding. */
const GLIDE_MAX_UNITS = 4000;
const GLIDE_MAX_FRAME_MS = 60;

const VERTEX = `#version 300 es
in vec2 a_at; in vec2 a_from; in float a_start; in vec4 a_look;
uniform mat4 u_matrix; uniform float u_now; uniform float u_glide_s; uniform float u_size; uniform float u_dot;
flat out int v_group; flat out int v_flags; out vec2 v_turn; out float v_px;
void main() {
  float share = u_glide_s > 0.0 ? clamp((u_now - a_start) / u_glide_s, 0.0, 1.0) : 1.0;
  gl_Position = u_matrix * vec4(a_at + a_from * (1.0 - share), 0.0, 1.0);
  v_group = int(a_look.x); v_flags = int(a_look.y);
  float strong = (v_flags & 8) != 0 ? 1.4 : 1.0;
  v_px = (v_flags & 16) != 0 ? 0.0 : u_size * (u_dot > 0.5 ? 1.0 : strong);
  gl_PointSize = v_px;
  float turn = (v_flags & 4) != 0 ? 0.0 : a_look.z * 6.2831853 / 256.0;
  v_turn = vec2(cos(turn), sin(turn));
}`;

const FRAGMENT = `#version 300 es
precision highp float;
flat in int v_group; flat in int v_flags; in vec2 v_turn; in float v_px;
uniform vec3 u_kind[4]; uniform vec3 u_case; uniform vec3 u_hollow; uniform vec3 u_stale; uniform float u_dot;
out vec4 colour;
float edge(vec2 p, vec2 a, vec2 b, inout float s) {
  vec2 e = b - a, w = p - a; vec2 q = w - e * clamp(dot(w, e) / dot(e, e), 0.0, 1.0);
  bvec3 c = bvec3(p.y >= a.y, p.y < b.y, e.x * w.y > e.y * w.x);
  if (all(c) || all(not(c))) s = -s;
  return dot(q, q);
}
float kite(vec2 p) {
  float s = 1.0; vec2 a = vec2(0.0,-0.86), b = vec2(0.67,0.78), c = vec2(0.0,0.4), d = vec2(-0.67,0.78);
  float m = min(min(edge(p,b,a,s), edge(p,c,b,s)), min(edge(p,d,c,s), edge(p,a,d,s)));
  return s * sqrt(m);
}
float house(vec2 p) {
  float s = 1.0; vec2 a = vec2(0.0,-0.8), b = vec2(0.72,-0.12), c = vec2(0.72,0.74), d = vec2(-0.72,0.74), f = vec2(-0.72,-0.12);
  float m = min(min(edge(p,b,a,s), edge(p,c,b,s)), min(min(edge(p,d,c,s), edge(p,f,d,s)), edge(p,a,f,s)));
  return s * sqrt(m);
}
float drop(vec2 p) {
  p.y -= 0.24; p.x = abs(p.x); const float r = 0.6, h = 1.06;
  float b = r / h, a = sqrt(1.0 - b * b); float k = dot(vec2(-p.y, p.x), vec2(-b, a));
  vec2 q = vec2(p.x, -p.y);
  k = dot(q, vec2(-b, a));
  if (k < 0.0) return length(q) - r;
  if (k > a * h) return length(q - vec2(0.0, h));
  return dot(q, vec2(a, b)) - r;
}
void main() {
  vec2 p = gl_PointCoord * 2.0 - 1.0;
  bool busy = (v_flags & 1) != 0, stale = (v_flags & 2) != 0;
  vec3 kind = stale ? mix(u_kind[v_group], u_stale, 0.6) : u_kind[v_group];
  float aa = 2.2 / v_px;
  if (u_dot > 0.5) {
    float d = length(p) - 0.72;
    float outer = 1.0 - smoothstep(0.0, aa, d - 0.26);
    float body = 1.0 - smoothstep(0.0, aa, d);
    float hole = busy ? 1.0 - smoothstep(0.0, aa, d + 0.38) : 0.0;
    float alpha = outer * (stale ? 0.6 : 1.0);
    colour = vec4(mix(u_case, mix(kind, u_hollow, hole), body) * alpha, alpha);
    return;
  }
  vec2 q = vec2(v_turn.x * p.x + v_turn.y * p.y, -v_turn.y * p.x + v_turn.x * p.y);
  float d = v_group == 0 ? kite(q) : v_group == 1 ? drop(q) : v_group == 2 ? house(p * 1.05) : length(p) - 0.6;
  float line = 3.4 / v_px;
  float outer = 1.0 - smoothstep(0.0, aa, d - line * 0.9);
  float body = 1.0 - smoothstep(-aa * 0.5, aa * 0.5, d);
  float inside = 1.0 - smoothstep(-aa * 0.5, aa * 0.5, d + line);
  float fill = (busy || stale) ? inside : 0.0;
  vec3 c = mix(kind, u_hollow, fill);
  float alpha = outer;
  if (stale) {
    float gap = step(0.5, fract(atan(q.y, q.x) * 1.2732));
    c = mix(c, u_hollow, gap * body * (1.0 - inside));
    alpha *= 0.85;
  }
  if (alpha < 0.01) discard;
  colour = vec4(mix(u_case, c, body) * alpha, alpha);
}`;

/** @param {number} lon degrees */
const mercatorX = (lon) => (180 + lon) / 360;
/** @param {number} lat degrees */
const mercatorY = (lat) => (180 - (180 / Math.PI) * Math.log(Math.tan(Math.PI / 4 + (lat * Math.PI) / 360))) / 360;
/** @param {string} hex */
const rgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255);

/** A MapLibre custom layer over {@link Movers}. */
export class MoversLayer {
  id = 'movers';
  type = /** @type {const} */ ('custom');
  renderingMode = /** @type {const} */ ('2d');

  /** @type {any} */ #map = null;
  /** @type {WebGLProgram | null} */ #program = null;
  /** @type {WebGLBuffer | null} */ #buffer = null;
  /** @type {WebGLVertexArrayObject | null} */ #vao = null;
  /** @type {Record<string, WebGLUniformLocation | null>} */ #uniform = {};
  #movers;
  #origin;
  #theme;
  #scale;
  #bytes = new ArrayBuffer(0);
  #capacity = 0;
  #generation = -1;
  #dirty = true;
  #glideUntil = 0;
  #frameMs = 16;
  #lastRender = 0;
  #epoch = performance.now();
  /** @type {(unit: number) => string | undefined} */ #kindOf = () => undefined;
  /** @type {Set<number>} */ #strong = new Set();
  /** @type {(() => number) | null} */ #clock = null;
  shown = true;
  /** Milliseconds the last upload took, for inspection. */
  uploadMs = 0;

  /**
   * @param {Movers} movers
   * @param {[number, number]} origin lon, lat near the district
   * @param {import('./palette.js').Theme} theme
   * @param {number} [scale]
   */
  constructor(movers, origin, theme, scale = 1) {
    this.#movers = movers;
    this.#origin = [mercatorX(origin[0]), mercatorY(origin[1])];
    this.#theme = theme;
    this.#scale = scale;
  }

  /** @param {import('./palette.js').Theme} theme */
  setTheme(theme) {
    this.#theme = theme;
  }

  /** Who is what: called with a unit number. @param {(unit: number) => string | undefined} kindOf */
  setKinds(kindOf) {
    this.#kindOf = kindOf;
    this.touch();
  }

  /** The server's clock (epoch ms), to see fixes grow old when no more frames come. @param {() => number} clock */
  setClock(clock) {
    this.#clock = clock;
  }

  /** Units drawn larger: the ranked candidates, the selected person. @param {Iterable<number>} units */
  setStrong(units) {
    this.#strong = new Set(units);
    this.touch();
  }

  /** Something changed: upload and draw with the next frame. */
  touch() {
    this.#dirty = true;
    this.#map?.triggerRepaint();
  }

  /** A telemetry frame was applied. */
  fixesChanged() {
    this.#glideUntil = performance.now() + GLIDE_MS;
    // Where gliding was too slow once, it gets another chance now and then.
    this.#frameMs *= 0.99;
    this.touch();
  }

  /** @param {any} map @param {WebGL2RenderingContext} gl */
  onAdd(map, gl) {
    this.#map = map;
    const program = gl.createProgram();
    for (const [kind, source] of /** @type {[number, string][]} */ ([
      [gl.VERTEX_SHADER, VERTEX],
      [gl.FRAGMENT_SHADER, FRAGMENT],
    ])) {
      const shader = /** @type {WebGLShader} */ (gl.createShader(kind));
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(shader) ?? 'shader');
      gl.attachShader(program, shader);
    }
    ['a_at', 'a_from', 'a_start', 'a_look'].forEach((name, index) => gl.bindAttribLocation(program, index, name));
    gl.linkProgram(program);
    this.#program = program;
    for (const name of [
      'u_matrix',
      'u_now',
      'u_glide_s',
      'u_size',
      'u_dot',
      'u_kind',
      'u_case',
      'u_hollow',
      'u_stale',
    ]) {
      this.#uniform[name] = gl.getUniformLocation(program, name);
    }
    this.#buffer = gl.createBuffer();
    this.#vao = gl.createVertexArray();
    gl.bindVertexArray(this.#vao);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.#buffer);
    /** @type {[number, number, number, number][]} */
    const layout = [
      [0, 2, gl.FLOAT, 0],
      [1, 2, gl.FLOAT, 8],
      [2, 1, gl.FLOAT, 16],
      [3, 4, gl.UNSIGNED_BYTE, 20],
    ];
    for (const [index, size, type, offset] of layout) {
      gl.enableVertexAttribArray(index);
      gl.vertexAttribPointer(index, size, type, false, STRIDE, offset);
    }
    gl.bindVertexArray(null);
    this.#capacity = 0;
    this.#dirty = true;
  }

  /** @param {any} _map @param {WebGL2RenderingContext} gl */
  onRemove(_map, gl) {
    gl.deleteProgram(this.#program);
    gl.deleteBuffer(this.#buffer);
    gl.deleteVertexArray(this.#vao);
    this.#map = null;
  }

  /** @param {WebGL2RenderingContext} gl */
  #upload(gl) {
    const started = performance.now();
    const m = this.#movers;
    const [ox, oy] = this.#origin;
    if (this.#capacity < m.count) {
      this.#capacity = Math.max(1024, m.unit.length);
      this.#bytes = new ArrayBuffer(this.#capacity * STRIDE);
    }
    const floats = new Float32Array(this.#bytes);
    const bytes = new Uint8Array(this.#bytes);
    const oldest = this.#clock ? this.#clock() / 1000 - STALE_S : -Infinity;
    for (let row = 0; row < m.count; row += 1) {
      const lat = m.lat[row];
      const at = row * 6;
      floats[at] = mercatorX(m.lon[row]) - ox;
      floats[at + 1] = mercatorY(lat) - oy;
      floats[at + 2] = (m.prevLon[row] - m.lon[row]) / 360;
      // Along so short a way the Mercator stretch is constant.
      floats[at + 3] = -(m.prevLat[row] - lat) / 360 / Math.cos((lat * Math.PI) / 180);
      floats[at + 4] = (m.changedAt[row] - this.#epoch) / 1000;
      const flags = m.flags[row];
      const look = row * STRIDE + 20;
      bytes[look] = GROUPS.indexOf(groupOf(this.#kindOf(m.unit[row]) ?? 'other'));
      bytes[look + 1] =
        (flags & BUSY ? 1 : 0) |
        (flags & (STALE | OFFLINE) || m.fixAt[row] < oldest ? 2 : 0) |
        (flags & NO_HEADING ? 4 : 0) |
        (this.#strong.has(m.unit[row]) ? 8 : 0) |
        (flags & ON_DUTY ? 0 : 16);
      bytes[look + 2] = m.heading[row];
    }
    gl.bindBuffer(gl.ARRAY_BUFFER, this.#buffer);
    gl.bufferData(gl.ARRAY_BUFFER, bytes.subarray(0, m.count * STRIDE), gl.DYNAMIC_DRAW);
    this.#generation = m.generation;
    this.#dirty = false;
    this.uploadMs = performance.now() - started;
  }

  /** @param {WebGL2RenderingContext} gl @param {any} args */
  render(gl, args) {
    const m = this.#movers;
    if (!this.shown || !m.count || !this.#program) return;
    if (this.#dirty || this.#generation !== m.generation) this.#upload(gl);
    const zoom = this.#map.getZoom();
    const dots = zoom < SHAPE_ZOOM;
    const now = performance.now();
    const glides = !dots && m.count <= GLIDE_MAX_UNITS && this.#frameMs < GLIDE_MAX_FRAME_MS;
    const palette = paletteOf(this.#theme);
    const u = this.#uniform;
    gl.useProgram(this.#program);
    gl.uniformMatrix4fv(u.u_matrix, false, this.#matrix(args.defaultProjectionData.mainMatrix));
    gl.uniform1f(u.u_now, (now - this.#epoch) / 1000);
    gl.uniform1f(u.u_glide_s, glides ? GLIDE_MS / 1000 : 0);
    const size = dots ? Math.max(5, 5 + (zoom - 10) * 1.4) : Math.min(30, 20 + (zoom - SHAPE_ZOOM) * 1.5);
    gl.uniform1f(u.u_size, size * this.#scale * devicePixelRatio);
    gl.uniform1f(u.u_dot, dots ? 1 : 0);
    gl.uniform3fv(u.u_kind, new Float32Array(palette.kinds.flatMap(rgb)));
    gl.uniform3fv(u.u_case, rgb(palette.casingMark));
    gl.uniform3fv(u.u_hollow, rgb(palette.hollow));
    gl.uniform3fv(u.u_stale, rgb(palette.stale));
    gl.bindVertexArray(this.#vao);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.disable(gl.DEPTH_TEST);
    gl.disable(gl.STENCIL_TEST);
    gl.drawArrays(gl.POINTS, 0, m.count);
    gl.bindVertexArray(null);
    if (glides && now < this.#glideUntil) {
      if (now - this.#lastRender < 1000) this.#frameMs += (Math.min(400, now - this.#lastRender) - this.#frameMs) * 0.2;
      this.#map.triggerRepaint();
    }
    this.#lastRender = now;
  }

  /** The projection with our origin folded in. @param {ArrayLike<number>} main */
  #matrix(main) {
    const out = new Float32Array(16);
    const [x, y] = this.#origin;
    for (let i = 0; i < 12; i += 1) out[i] = main[i];
    for (let row = 0; row < 4; row += 1) out[12 + row] = main[row] * x + main[4 + row] * y + main[12 + row];
    return out;
  }
}
