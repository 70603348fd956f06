// A question or a form over the page: focus goes in, stays in, and comes back.
import { html, useLayoutEffect, useRef } from './h.js';

/**
 * @param {{title: string, onClose: () => void, children: unknown, foot?: unknown, wide?: boolean, id?: string}} props
 */
export function Dialog({ title, onClose, children, foot, wide = false, id }) {
  const box = useRef(/** @type {HTMLDialogElement | null} */ (null));
  // At once: later a field that wants the focus already has it.
  useLayoutEffect(() => {
    const before = /** @type {HTMLElement | null} */ (document.activeElement);
    const dialog = box.current;
    dialog?.showModal();
    return () => {
      dialog?.close(); // while it is open, nothing outside can have the focus
      before?.focus?.();
    };
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
