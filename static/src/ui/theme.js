// Dark, light or high contrast, remembered by this browser and shared by all pages.

/** @typedef {'dark' | 'light' | 'contrast'} Theme */

export const THEMES = /** @type {const} */ (['dark', 'light', 'contrast']);
const STORED = 'yiping.theme';

/** @returns {Theme} */
export function readTheme() {
  try {
    const stored = localStorage.getItem(STORED);
    const known = THEMES.find((theme) => theme === stored);
    if (known) return known;
  } catch {
    // storage may be blocked; the theme is then not remembered
  }
  return matchMedia('(prefers-contrast: more)').matches ? 'contrast' : 'dark';
}

/** @param {Theme} theme */
export function applyTheme(theme) {
  document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem(STORED, theme);
  } catch {
    // see readTheme
  }
}
