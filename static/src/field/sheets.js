// What slides up from the bottom: reasons, results, a report, the messages, the menu. One at a time.

import { messagesOf } from '../board.js';
import { t } from '../i18n.js';
import { timeOfDay } from '../time.js';
import { html, useEffect, useRef, useState } from '../ui/h.js';
import { LevelMark } from '../ui/shapes.js';
import { shrinkPhoto } from './photo.js';

/** @import {Model, Do} from './main.js' */

const DECLINE = ['busy', 'far', 'vehicle', 'health', 'skill', 'other'];
const FINISH = ['solved', 'handed_over', 'guarded', 'false_alarm', 'mediated'];
const QUICK = ['on_my_way', 'detour', 'need_more', 'all_clear'];
const CATEGORIES = [
  'city_component', 'city_event', 'traffic', 'environment', 'fire_rescue', 'security', 'dispute', 'livelihood_help',
  'work_safety', 'natural_hazard', 'medical', 'other',
];

/** @param {{model: Model, act: Do}} props */
export function Sheet({ model, act }) {
  /** @type {Record<string, Function>} */
  const sheets = { decline: Decline, finish: Finish, report: Report, messages: Messages, menu: Menu, call: Call };
  const Body = sheets[/** @type {string} */ (model.sheet)];
  return html`<div class="veil" onClick=${(/** @type {Event} */ event) => event.target === event.currentTarget && act.close()}>
    <section class="sheet" role="dialog" aria-modal="true">
      <${Body} model=${model} act=${act} />
      <button type="button" class="back" onClick=${act.close}>${t('field.cancel')}</button>
    </section>
  </div>`;
}

/** @param {{act: Do}} props */
function Decline({ act }) {
  return html`<h2>${t('field.decline_title')}</h2>
    <div class="chips">${DECLINE.map((reason) => html`<button type="button" key=${reason} onClick=${() => act.decline(t(`field.decline.${reason}`))}>${t(`field.decline.${reason}`)}</button>`)}</div>`;
}

/** @param {{photos: {blob: Blob}[], add: (files: FileList | null) => void}} props */
function PhotoButton({ photos, add }) {
  return html`<label class="button wide">${photos.length ? t('field.photos_n', { n: photos.length }) : t('field.take_photo')}
    <input type="file" accept="image/*" capture="environment" multiple
      onChange=${(/** @type {any} */ event) => { add(event.target.files); event.target.value = ''; }} /></label>`;
}

/** Photos taken in a sheet, shrunk as they come. @param {Do} act */
function usePhotos(act) {
  const [photos, setPhotos] = useState(/** @type {{name: string, blob: Blob}[]} */ ([]));
  /** @param {FileList | null} files */
  const add = async (files) => {
    for (const file of files ?? []) {
      try {
        const small = await shrinkPhoto(file);
        setPhotos((last) => [...last, small]);
      } catch {
        act.say(t('field.photo_failed'));
      }
    }
  };
  return { photos, add };
}

/** @param {{act: Do}} props */
function Finish({ act }) {
  const [result, setResult] = useState('solved');
  const [more, setMore] = useState('');
  const { photos, add } = usePhotos(act);
  const send = () => {
    const words = t(`field.finish.${result}`);
    act.finish(more.trim() ? `${words}；${more.trim()}` : words, photos);
  };
  return html`<h2>${t('field.finish_title')}</h2>
    <div class="chips">${FINISH.map((item) => html`<button type="button" key=${item} aria-pressed=${item === result} onClick=${() => setResult(item)}>${t(`field.finish.${item}`)}</button>`)}</div>
    <textarea rows="2" maxlength="500" placeholder=${t('field.finish_more')} value=${more} onInput=${(/** @type {any} */ event) => setMore(event.target.value)}></textarea>
    <${PhotoButton} photos=${photos} add=${add} />
    <button type="button" class="go" onClick=${send}>${t('field.finish_send')}</button>`;
}

/** @param {{model: Model, act: Do}} props */
function Report({ model, act }) {
  const [title, setTitle] = useState('');
  const [more, setMore] = useState('');
  const [category, setCategory] = useState('city_component');
  const { photos, add } = usePhotos(act);
  const here = model.duty.position;
  const ready = title.trim().length > 1 && here !== null;
  const send = () => here && act.report({ title: title.trim(), description: more.trim(), category, lon: here.lon, lat: here.lat }, photos);
  return html`<h2>${t('field.report_title')}</h2>
    <input type="text" maxlength="60" placeholder=${t('field.report_placeholder')} value=${title} onInput=${(/** @type {any} */ event) => setTitle(event.target.value)} />
    <div class="chips small">${CATEGORIES.map((item) => html`<button type="button" key=${item} aria-pressed=${item === category} onClick=${() => setCategory(item)}>${t(`category.${item}`)}</button>`)}</div>
    <textarea rows="2" maxlength="1000" placeholder=${t('field.report_details')} value=${more} onInput=${(/** @type {any} */ event) => setMore(event.target.value)}></textarea>
    <p class=${here ? 'note' : 'note warn'}>${here ? t('field.report_here') : t('field.report_no_position')}</p>
    <${PhotoButton} photos=${photos} add=${add} />
    <button type="button" class="go" disabled=${!ready} onClick=${send}>${t('field.report_send')}</button>`;
}

/** @param {{model: Model, act: Do}} props */
function Messages({ model, act }) {
  const [text, setText] = useState('');
  const list = useRef(/** @type {HTMLElement | null} */ (null));
  const messages = model.responder ? messagesOf(model.board, model.responder.id) : [];
  const waiting = model.entries.filter((entry) => entry.kind === 'message');
  useEffect(() => {
    act.readMessages();
    if (list.current) list.current.scrollTop = list.current.scrollHeight;
  }, [messages.length, waiting.length]);
  /** @param {string} body */
  const send = (body) => {
    if (!body.trim()) return;
    act.reply(body.trim());
    setText('');
  };
  return html`<h2>${t('field.messages')}</h2>
    <ol class="talk" ref=${list}>
      ${!messages.length && !waiting.length && html`<li class="none">${t('field.no_messages')}</li>`}
      ${messages.map((item) => {
        const mine = item.from_responder === model.responder?.id;
        const incident = item.incident_id ? model.board.incidents[item.incident_id] : null;
        return html`<li key=${item.id} class=${mine ? 'mine' : ''}>
          <small>${mine ? t('field.me') : t('field.from_centre', { name: item.from_name ?? '' })} ${timeOfDay(item.sent_at)}
            ${incident && html` <${LevelMark} level=${incident.level} hollow size=${12} /> ${incident.title}`}</small>
          <p>${item.body}</p></li>`;
      })}
      ${waiting.map((entry) => html`<li key=${entry.key} class="mine waits"><small>${t('field.waits')}</small><p>${entry.label}</p></li>`)}
    </ol>
    <div class="chips quick">${QUICK.map((key) => html`<button type="button" key=${key} onClick=${() => send(t(`field.quick.${key}`))}>${t(`field.quick.${key}`)}</button>`)}</div>
    <form class="write" onSubmit=${(/** @type {Event} */ event) => { event.preventDefault(); send(text); }}>
      <input type="text" maxlength="500" placeholder=${t('field.message_placeholder')} value=${text} onInput=${(/** @type {any} */ event) => setText(event.target.value)} />
      <button type="submit">${t('field.send')}</button>
    </form>`;
}

/** @param {{model: Model, act: Do}} props */
function Menu({ model, act }) {
  const on = Boolean(model.responder?.on_duty);
  const waits = model.waiting.length;
  return html`<h2>${model.session.user.name}<small>${t(`role.${model.session.user.role}`)} ${model.responder?.station ?? ''}</small></h2>
    <p class="note">${on ? t('field.keep_open') : t('field.off_duty_statement')}</p>
    <div class="rows">
      ${model.responder && html`<button type="button" onClick=${() => act.shift(!on)}>${t(on ? 'field.go_off_duty' : 'field.go_on_duty')}</button>`}
      <button type="button" onClick=${() => act.open('messages')}>${t('field.messages')}${model.unread > 0 && html` <u>${model.unread}</u>`}</button>
      ${on && html`<button type="button" onClick=${() => act.open('report')}>${t('field.report')}</button>`}
      <button type="button" onClick=${act.switchLanguage}>${t('field.language')}</button>
      <button type="button" disabled=${waits > 0} onClick=${act.signOut}>${t('field.sign_out')}</button>
    </div>
    ${waits > 0 && html`<p class="note warn">${t('field.sign_out_waits', { n: waits })}</p>`}`;
}

/** @param {{model: Model}} props */
function Call({ model }) {
  const tel = model.session.district.duty_phone;
  return html`<h2>${t('field.call_title')}</h2>
    <p class="note">${model.offlineS === null ? t('field.call_asked') : t('field.call_waits')}</p>
    ${tel && html`<a class="button go" href=${`tel:${tel}`}>${t('field.call_number', { tel })}</a>`}`;
}
