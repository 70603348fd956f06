// Elements made by hand, where a picture must not be touched by a renderer.

const SVG = 'http://www.w3.org/2000/svg';

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag @param {string} [className] @param {Record<string, string>} [attributes]
 * @returns {HTMLElementTagNameMap[K]}
 */
export function element(tag, className = '', attributes = {}) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

/** Set text only when it differs, so that nothing is laid out anew. @param {Element} node @param {string} text */
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** @param {string} path @param {string} [viewBox] */
export function icon(path, viewBox = '0 0 16 16') {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', viewBox);
  svg.setAttribute('aria-hidden', 'true');
  const shape = document.createElementNS(SVG, 'path');
  shape.setAttribute('d', path);
  svg.append(shape);
  return svg;
}

/** The shape beside the state's words: ● ◐ ○ and a dotted ring. */
export function stateMark() {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 12 12');
  svg.setAttribute('class', 'vmark');
  svg.setAttribute('aria-hidden', 'true');
  const ring = document.createElementNS(SVG, 'circle');
  for (const [name, value] of [['cx', '6'], ['cy', '6'], ['r', '4.6']]) ring.setAttribute(name, value);
  const half = document.createElementNS(SVG, 'path');
  half.setAttribute('d', 'M6 1.4A4.6 4.6 0 0 0 6 10.6Z');
  svg.append(ring, half);
  return svg;
}
