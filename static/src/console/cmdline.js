// The command line at the foot of the page: `/` starts it, arrows choose, Enter does.
import { t } from '../i18n.js';
import { html, useEffect, useRef, useState } from '../ui/h.js';
import { isWaiting } from '../ui/levels.js';
import { selectedIncident, ui } from './state.js';
import { complete, openByCode } from './verbs.js';
import { isMine } from './words.js';

/** Keys that do something now. @returns {[string, string][]} */
function hints() {
  const incident = selectedIncident();
  /** @type {[string, string][]} */
  const list = [];
  if (incident && isWaiting(incident))
    list.push(['Enter', isMine(incident) ? 'dispatch_top' : 'claim'], ['1–9', 'choose']);
  else if (incident) list.push(['X', 'close']);
  else if (ui.selection?.kind === 'form') return [['Ctrl Enter', 'submit'], ['Esc', 'back']];
  else if (ui.selection?.kind === 'closure-form')
    return ui.closureDraft?.done ? [['Ctrl Enter', 'submit_closure'], ['Esc', 'back']] : [['Enter', 'finish_drawing'], ['Esc', 'back']];
  else if (ui.selection?.kind === 'responder') list.push(['Enter', 'call']);
  else if (ui.ranked) list.push(['Enter', 'call_nearest'], ['1–9', 'choose']);
  list.push(['C', 'call'], ['A', 'acknowledge'], ['J', 'next'], ['?', 'all']);
  return list;
}

export function CommandLine() {
  const [text, setText] = useState('');
  const [open, setOpen] = useState(false);
  const [at, setAt] = useState(0);
  const [items, setItems] = useState(/** @type {import('./verbs.js').Completion[]} */ ([]));
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  useEffect(() => {
    if (!open) return undefined;
    const abort = new AbortController();
    const timer = setTimeout(() => {
      complete(text, abort.signal).then(
        (found) => {
          setItems(found);
          setAt(0);
        },
        () => undefined,
      );
    }, 100);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [text, open]);
  const leave = () => {
    setText('');
    setItems([]);
    setOpen(false);
    input.current?.blur();
  };
  /** @param {number} index */
  const run = (index) => {
    if (openByCode(text.trim())) return leave();
    const item = items[index];
    if (!item) return undefined;
    if (!text.trim()) return setText(`${item.text} `);
    leave();
    return void item.run();
  };
  /** @param {KeyboardEvent} event */
  const key = (event) => {
    event.stopPropagation();
    if (event.isComposing) return;
    if (event.key === 'Escape') leave();
    else if (event.key === 'ArrowDown') setAt(Math.min(items.length - 1, at + 1));
    else if (event.key === 'ArrowUp') setAt(Math.max(0, at - 1));
    else if (event.key === 'Tab' && items[at]) setText(`${items[at].text} `);
    else if (event.key === 'Enter') run(at);
    else return;
    event.preventDefault();
  };
  return html`<footer class="command" role="search" aria-label=${t('console.cmd')}>
    ${
      open &&
      items.length > 0 &&
      html`<div class="complete" id="completions" data-testid="completions"><p>${t('console.cmd.complete')} <kbd>↑</kbd><kbd>↓</kbd> ${t('console.cmd.choose')} <kbd>Tab</kbd> ${t('console.cmd.fill')} <kbd>Enter</kbd> ${t('console.cmd.run')}</p>
      <ul role="listbox">${items.map(
        (
          item,
          index,
        ) => html`<li role="option" aria-selected=${index === at} class=${index === at ? 'on' : ''} key=${item.text + index} data-testid="completion"
        onMouseDown=${(/** @type {Event} */ e) => {
          e.preventDefault();
          run(index);
        }}><b>${item.text}</b><span>${item.note}</span></li>`,
      )}</ul></div>`
    }
    <label><b aria-hidden="true">/</b><input ref=${input} id="command" value=${text} autocomplete="off" spellcheck=${false} placeholder=${t('console.cmd.example')} data-testid="command-input"
      role="combobox" aria-expanded=${open && items.length > 0} aria-controls="completions" aria-label=${t('console.cmd')}
      onInput=${(/** @type {any} */ e) => {
        setText(e.target.value);
        setOpen(true);
      }} onFocus=${() => setOpen(true)} onBlur=${() => setTimeout(() => document.activeElement !== input.current && setOpen(false), 150)} onKeyDown=${key} /></label>
    <ul class="keys">${hints().map(([name, what]) => html`<li key=${name}><kbd>${name}</kbd>${name === 'J' && html`<kbd>K</kbd>`} ${t(`console.key.${what}`)}</li>`)}</ul>
  </footer>`;
}
