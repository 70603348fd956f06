// What opens under a button, and goes with a press anywhere else.
import { useEffect, useState } from './h.js';

/**
 * @param {string} within selector of the button with what it opens
 * @returns {[boolean, (open: boolean) => void]} open, and how to say so
 */
export function usePopup(within) {
  const [open, setOpen] = useState(false);
  useEffect(() => {
    if (!open) return undefined;
    const away = (/** @type {Event} */ event) => {
      if (!(event.target instanceof Element && event.target.closest(within))) setOpen(false);
    };
    document.addEventListener('pointerdown', away);
    return () => document.removeEventListener('pointerdown', away);
  }, [open]);
  return [open, setOpen];
}
