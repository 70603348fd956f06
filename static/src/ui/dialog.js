// A question or a form over the page: focus goes in, stays in, and comes back.
import { html, useEffect, useRef } from './h.js';

/**
 * @param {{title: string, onClose: () => void, children: unknown, foot?: unknown, wide?: boolean, id?: string}} props
 */
export function Dialog({ title, onClose, children, foot, wide = false, id }) {
  const box = useRef(/** @type {HTMLDialogElement | null} */ (null));
  useEffect(() => {
    const before = /** @type {HTMLElement | null} */ (document.activeElement);
    box.current?.showModal();
    return () => before?.focus?.();
  }, []);
  return html`<dialog class=${`dialog ${wide ? 'wide' : ''}`} aria-label=${title} ref=${box} data-testid=${id ?? 'dialog'}
    onCancel=${(/** @type {Event} */ event) => {
      event.preventDefault();
      onClose();
    }} onKeyDown=${(/** @type {KeyboardEvent} */ event) => event.stopPropagation()}>
    <header><h2>${title}</h2><button type="button" class="esc" onClick=${onClose} data-testid="dialog-close">Esc ✕</button></header>
    <div class="dialog-body">${children}</div>
    ${foot && html`<footer>${foot}</footer>`}
  </dialog>`;
}
