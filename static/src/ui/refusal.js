// Why the server said no, in words of the page's language.
import { ApiError } from '../api.js';
import { has, t } from '../i18n.js';

/** Codes that mean the same whatever was asked. */
const CODES = new Set([
  'not_allowed', 'unauthorized', 'unsupported', 'busy', 'unreachable', 'stalled', 'ended', 'bad_media',
]);

/**
 * What kept a camera's picture away, or what a device answered, as a sentence.
 * @param {string | null | undefined} code
 */
export const reasonText = (code) => {
  if (!code) return '';
  const key = `camera.reason.${code}`;
  return has(key) ? t(key) : code;
};

/** @param {unknown} error */
export function refusal(error) {
  if (!(error instanceof ApiError)) return error instanceof Error ? error.message : String(error);
  if (error.unreachable) return t('error.unreachable');
  if (CODES.has(error.error)) return reasonText(error.error);
  if (error.status === 403) return t('error.forbidden');
  if (error.status === 404) return t('error.not_found');
  if (error.status === 409) return t('video.stale_version');
  if (error.status === 413) return t('error.too_large');
  if (error.status === 429) return t('error.too_many', { s: error.retryAfterS ?? 5 });
  if (error.status === 422) return t('error.invalid', { detail: error.detail || String(error.field ?? '') });
  if (error.status === 503) return t('error.unavailable');
  if (error.status === 507) return t('video.disk_full');
  return t('error.other', { detail: error.detail || error.error });
}
