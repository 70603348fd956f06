// What can be taken away: a page that opens without any network, and the table.
import { t } from '../i18n.js';
import { LayerFiles, mayTakeOut } from '../ui/export-menu.js';
import { html } from '../ui/h.js';
import { usePopup } from '../ui/popup.js';
import { ui } from './state.js';

const FILES = /** @type {const} */ (['html', 'xlsx', 'csv']);

export function ExportMenu() {
  const [open, setOpen] = usePopup('.export');
  const area = ui.chosen ? `&area=${encodeURIComponent(ui.chosen)}` : '';
  return html`<div class="export" onKeyDown=${(/** @type {KeyboardEvent} */ event) => event.key === 'Escape' && setOpen(false)}><button class="btn sm" aria-expanded=${open} aria-haspopup="menu" onClick=${() => setOpen(!open)} data-testid="export">${t('lead.export')} ▾</button>
    ${open && html`<div class="pop" role="menu">${FILES.map((kind) => html`<a role="menuitem" key=${kind} href=${`/api/v1/reports/coverage.${kind}?minutes=${ui.minutes}${area}`} download onClick=${() => setOpen(false)} data-testid=${`export-${kind}`}><b>${t(`lead.export.${kind}`)}</b><small>${t(`lead.export.${kind}.hint`)}</small></a>`)}${mayTakeOut(ui.me) && html`<h3>${t('export.layers')}</h3><${LayerFiles} first="incidents" area=${ui.chosen || null} onTaken=${() => setOpen(false)} />`}</div>`}</div>`;
}
