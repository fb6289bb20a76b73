// Two lists: who waits at the fence for whom, and what has just happened.
import { kWaitedMs } from './store.js';
import {
  byId,
  causeWords,
  clock,
  kStateHelp,
  make,
  milliseconds,
  plural,
  setText,
  span,
} from './words.js';

const kWaitsShown = 12;
const kLinesKept = 60;
const kFenceHelp = {
  held: 'held',
  finishing: 'finishing',
  probing: 'being asked whether it is alive',
  contended: 'being evicted',
};

export class Waits {
  constructor(store, onOpen) {
    this.store = store;
    this.list = byId('waits');
    this.items = new Map();
    this.keys = new Map();  // what the guard says of the fences that are shown
    this.onOpen = onOpen;
    this.empty = make('li', 'empty', 'Nobody waits for a session key.');
    this.list.append(this.empty);
  }

  shown() {
    return this.store.waiting().slice(0, kWaitsShown);
  }

  update(now) {
    const all = this.store.waiting();
    const shown = all.slice(0, kWaitsShown);
    setText(
      byId('waits-sum'),
      all.length > shown.length ? `${shown.length} longest of ${all.length}` : 'who waits for whom',
    );
    this.empty.hidden = all.length > 0;
    const ids = new Set(shown.map((session) => session.id));
    for (const [id, item] of this.items) {
      if (ids.has(id)) continue;
      item.remove();
      this.items.delete(id);
    }
    for (const session of shown) {
      const item = this.items.get(session.id) ?? this.makeItem(session);
      setText(item.time, span(now - session.since));
      this.describe(item, session, now);
    }
  }

  // For all anew: an id may be that of another session.
  clear() {
    for (const item of this.items.values()) item.remove();
    this.items.clear();
    this.keys.clear();
  }

  describe(item, session, now) {
    const holder = this.store.holderOf(session);
    const fence = this.keys.get(session.key);
    item.holder.hidden = !holder;
    if (holder) {
      setText(item.holder, holder.id);
      item.holderId = holder.id;
      item.holder.title = kStateHelp[holder.state] ?? '';
    }
    const turns = holder?.turns ? `, ${plural(holder.turns, 'turn')}` : '';
    const why =
      fence && fence !== 'held' && fence !== 'finishing' ? `, ${kFenceHelp[fence] ?? fence}` : '';
    setText(
      item.why,
      holder ? `${holder.state} ${span(now - holder.since)}${turns}${why}` : 'an earlier session',
    );
  }

  makeItem(session) {
    const item = make('li');
    const head = make('div', 'wait-head');
    const waiter = this.link(session.key ?? session.id, () => session.id);
    item.time = make('span', 'number');
    head.append(waiter, make('span', 'address', session.address), item.time);
    const body = make('div', 'wait-body');
    item.holder = this.link('', () => item.holderId);
    item.why = make('span');
    body.append('behind ', item.holder, ' ', item.why);
    item.append(head, body);
    this.items.set(session.id, item);
    this.list.append(item);
    return item;
  }

  link(text, idOf) {
    const button = make('button', 'link', text);
    button.type = 'button';
    button.addEventListener('click', () => this.onOpen(idOf()));
    return button;
  }
}

// Lines are collected as events come and written once per frame.
export class Activity {
  constructor(onOpen) {
    this.list = byId('activity');
    this.onOpen = onOpen;
    this.pending = [];
    this.empty = make(
      'li',
      'empty',
      'Nothing yet. Drops, shields and fresh bindings are shown as they happen.',
    );
    this.list.append(this.empty);
    this.list.addEventListener('click', (event) => {
      const { id } = event.target.closest('button')?.dataset ?? {};
      if (id) this.onOpen(id);
    });
  }

  // `session`: as the store has it, of an event about one that it knows.
  tell(kind, data, session) {
    const line = this.lineOf(kind, data, session);
    if (!line) return;
    const at = new Date(data.at ?? Date.now());
    this.pending.push({ ...line, at, stamp: at.toISOString() });  // throws here, not in a frame
    if (this.pending.length > kLinesKept) this.pending.shift();
  }

  lineOf(kind, data, session) {
    const who = { id: data.id, name: data.key ?? data.id };
    switch (kind) {
      case 'dropped': {
        const turns = data.turns_in_flight ? ', mid-turn' : '';
        if (!turns && data.cause === 'client_closed') return null;  // an ordinary end
        return { ...who, kind, text: `${causeWords(data.cause) || 'client gone'}${turns}` };
      }
      case 'shielded':
        return { ...who, kind, text: 'its turn goes on' };
      case 'opened':
        if (data.fence_wait_ms < kWaitedMs) return null;
        return {
          ...who,
          kind: 'fresh',
          text: `#${data.epoch} after ${milliseconds(data.fence_wait_ms)}`,
        };
      case 'closed':
        if (session?.shielded)
          return { ...who, kind, text: `shielded for ${milliseconds(data.shield_ms)}` };
        return data.cause === 'client_closed'
          ? null
          : { ...who, kind, text: causeWords(data.cause) };
      case 'refused':
        return { kind, name: data.key ?? data.client, text: `${data.status} ${data.why}` };
      case 'reload':
        return { kind, text: data.why ?? data.result ?? 'done' };
      case 'drain':
        return { kind, text: data.why ?? data.state ?? 'begun' };
      default:
        return null;
    }
  }

  frame() {
    if (!this.pending.length) return;
    this.empty.remove();
    const lines = document.createDocumentFragment();
    for (const line of this.pending.reverse()) lines.append(this.makeLine(line));
    this.pending = [];
    this.list.prepend(lines);
    while (this.list.children.length > kLinesKept) this.list.lastElementChild.remove();
  }

  // The sessions of all lines so far are no more; their ids may be those of others.
  unlink() {
    for (const line of this.pending) line.id = undefined;
    for (const button of this.list.querySelectorAll('button')) button.disabled = true;
  }

  makeLine({ kind, id, name, text, at, stamp }) {
    const item = make('li', `line ${kind}`);
    const time = make('time', '', clock(at));
    time.dateTime = stamp;
    const who = make(id ? 'button' : 'span', id ? 'link' : 'name', name);
    who.hidden = !name;
    if (id) {
      who.type = 'button';
      who.dataset.id = id;
      who.tabIndex = -1;  // sixty stops for Tab would bar the way to the table, which has them all
    }
    const word = make('span', 'word', kind);
    item.append(time, word, who, make('span', 'text', text));
    return item;
  }
}
