// What is known of the sessions: snapshots and events, merged. No document in here.
import { causeWords, groupOf, kGroups } from './words.js';

export const kWaitedMs = 20;  // less is what a key takes that nobody holds
export const kFadeMs = 6000;  // how long a closed session is still shown, and a fresh one marked
const kTombstoneMs = 60_000;  // a snapshot older than a session's end does not revive it
const kUnheardMs = 300_000;  // what no snapshot can show is kept so long after it was heard of
const kCutSlackMs = 2000;  // by which ages of one session differ between snapshots

// What a fence is told apart by; a session that is not fenced is alone.
const fenceName = (session) => (session.key ? `${session.upstream} ${session.key}` : session.id);

// What a snapshot or an event says of a session.
function toldBy(raw, now) {
  const text = [
    raw.id,
    raw.key,
    raw.client.address,
    raw.route,
    raw.upstream,
    raw.cause,
    causeWords(raw.cause),
    raw.trace_id,
    raw.state,
  ];
  return {
    route: raw.route,
    upstream: raw.upstream,
    key: raw.key,
    epoch: raw.epoch,
    address: raw.client.address,
    client: raw.client.state,
    clientRtt: raw.client.rtt_ms,
    up: raw.upstream_leg.state,
    upRtt: raw.upstream_leg.rtt_ms,
    state: raw.state,
    turns: raw.turns_in_flight,
    cause: raw.cause,
    trace: raw.trace_id,
    born: now - raw.age_ms,
    since: now - raw.state_ms,
    fenceWait: raw.fence_wait_ms,
    shield: raw.shield_ms,
    bytesUp: raw.bytes_up,
    bytesDown: raw.bytes_down,
    messagesUp: raw.messages_up,
    messagesDown: raw.messages_down,
    buffered: raw.buffered_bytes,
    unseen: 0,
    text: text.join('\n').toLowerCase(),
  };
}

// Times are those of performance.now(), so that they do not depend on two clocks.
export class Store {
  constructor() {
    this.sessions = new Map();
    this.changed = new Set();  // ids, since the last take()
    this.membersChanged = true;
    this.counts = Object.fromEntries(kGroups.map((group) => [group, 0]));
    this.tombstones = new Map();
    this.byKey = new Map();  // sets of the sessions of a fenced key
    this.hotSince = new Map();
    this.era = 0;  // changes when all that was known is void
  }

  // The guard's process is another one: its sessions' ids say nothing of those that are known.
  clear(now) {
    ++this.era;
    for (const session of this.sessions.values()) {
      if (!session.closedAt) this.close(session, now);  // for who still shows it
      this.changed.delete(session.id);
    }
    for (const known of [this.sessions, this.tombstones, this.byKey, this.hotSince]) known.clear();
    this.membersChanged = true;
  }

  // `asked`: when the snapshot was asked for; what events have told since then is newer.
  upsert(raw, now, asked = now) {
    const told = toldBy(raw, now);  // first: what cannot be read leaves no trace
    let session = this.sessions.get(raw.id);
    if (!session) {
      if (this.tombstones.has(raw.id)) return null;
      session = { id: raw.id, group: null, fence: null, closedAt: 0, freshAt: 0, unseen: 0 };
      session.toldAt = session.seenAt = 0;
      session.shielded = false;  // was, at some time
      this.sessions.set(raw.id, session);
      this.membersChanged = true;
    } else if (session.toldAt > asked || session.closedAt) {
      session.unseen = 0;
      return session;
    }
    this.file(session, fenceName(raw));
    Object.assign(session, told);
    this.regroup(session, groupOf(raw.state));
    this.changed.add(raw.id);
    return session;
  }

  // Under the name of its fence, or under none. By the name that it was filed under it is found
  // again, whatever it is called by then.
  file(session, name) {
    if (session.fence === name) return;
    const others = this.byKey.get(session.fence);
    others?.delete(session);
    if (others?.size === 0) this.byKey.delete(session.fence);
    session.fence = name;
    if (name === null) return;
    if (!this.byKey.has(name)) this.byKey.set(name, new Set());
    this.byKey.get(name).add(session);
  }

  regroup(session, group) {
    if (session.group === group) return;
    if (session.group) --this.counts[session.group];
    if (group) ++this.counts[group];
    session.group = group;
    this.membersChanged = true;
  }

  // An event about a session. Returns the session, or null when it is of no interest any more.
  tell(kind, raw, now) {
    const session = this.upsert(raw, now);
    if (!session || session.closedAt) return session;
    session.toldAt = now;
    if (kind === 'shielded') session.shielded = true;
    if (kind === 'opened' && this.isRebound(session)) session.freshAt = now;
    if (kind === 'closed') this.close(session, now);
    return session;
  }

  // True when this session has taken the place of an earlier one of its key.
  isRebound(session) {
    if (session.key === null) return false;
    if (session.fenceWait >= kWaitedMs) return true;
    return this.byKey.get(session.fence).size > 1;
  }

  close(session, now) {
    session.closedAt = now;
    session.since = now;
    session.state = 'closed';
    session.client = session.up = 'gone';
    session.turns = session.buffered = 0;
    this.tombstones.set(session.id, now);
    this.regroup(session, null);
    this.changed.add(session.id);
  }

  // After a whole pass over the guard's sessions, begun at `asked`: those that two passes did not
  // show are over. One is not enough: pages shift while sessions end. `youngest`: when the last
  // session was born that the pass went to, oldest first; it says nothing of younger ones, which are
  // forgotten when nothing is heard of them for long.
  sweep(asked, now, youngest = Infinity) {
    for (const session of this.sessions.values()) {
      if (session.closedAt || session.seenAt >= asked || session.toldAt >= asked) continue;
      if (session.born < youngest - kCutSlackMs) {
        if (++session.unseen >= 2) this.close(session, now);
      } else if (now - Math.max(session.seenAt, session.toldAt) > kUnheardMs) {
        this.forget(session);
      }
    }
  }

  snapshot(list, asked, now) {
    for (const raw of list) {
      const session = this.upsert(raw, now, asked);
      if (session) session.seenAt = now;
    }
  }

  // Forgets what has faded.
  expire(now) {
    for (const session of this.sessions.values()) {
      if (session.closedAt && now - session.closedAt > kFadeMs) this.forget(session);
    }
    for (const [id, at] of this.tombstones) {
      if (now - at > kTombstoneMs) this.tombstones.delete(id);
    }
  }

  forget(session) {
    this.sessions.delete(session.id);
    this.changed.delete(session.id);  // nobody may be there to take it
    this.membersChanged = true;
    this.regroup(session, null);
    this.file(session, null);
  }

  take() {
    const { changed } = this;
    this.changed = new Set();
    return changed;
  }

  // The live session that stands in the way of `waiting`, if it is known.
  holderOf(waiting) {
    let holder = null;
    for (const other of this.byKey.get(waiting.fence) ?? []) {
      if (other === waiting || other.closedAt || other.group === 'waiting') continue;
      if (!holder || other.epoch > holder.epoch) holder = other;
    }
    return holder;
  }

  waiting() {
    const list = [...this.sessions.values()].filter((session) => session.group === 'waiting');
    return list.sort((a, b) => a.since - b.since);
  }
}

// --- order ---------------------------------------------------------------------------------------

const kColumns = {
  key: (s) => s.key ?? '',
  cause: (s) => s.cause ?? '',
  turns: (s) => -s.turns,
  since: (s) => -s.since,
  age: (s) => -s.born,
  rtt: (s) => -(s.clientRtt ?? -1),
  traffic: (s) => -(s.bytesUp + s.bytesDown),
  buffered: (s) => -s.buffered,
  address: (s) => s.address,
  route: (s) => s.route,
};

// `sort`: {by: a column or 'state', descending}. Numbers go from large to small first.
export function ordered(store, list, sort, now) {
  if (sort.by === 'state') return byAttention(store, list, now, sort.descending);
  const value = kColumns[sort.by];
  const sign = sort.descending ? -1 : 1;
  const keyed = list.map((session) => ({ session, value: value(session) }));
  keyed.sort((a, b) =>
    a.value < b.value ? -sign : a.value > b.value ? sign : a.session.born - b.session.born,
  );
  return keyed.map(({ session }) => session);
}

// Keys at which something is going on first, those for the longest at the top, each with its old
// and its new session together; below them what is simply open, the newest first.
function byAttention(store, list, now, reversed) {
  const hot = new Map();
  for (const session of list) {
    const fresh = session.freshAt && now - session.freshAt < kFadeMs;
    if (session.group !== 'open' || fresh) hot.set(session.fence, []);
  }
  const calm = [];
  for (const session of list) (hot.get(session.fence) ?? calm).push(session);
  for (const name of store.hotSince.keys()) if (!hot.has(name)) store.hotSince.delete(name);
  for (const name of hot.keys()) if (!store.hotSince.has(name)) store.hotSince.set(name, now);
  const groups = [...hot].sort(([a], [b]) => store.hotSince.get(a) - store.hotSince.get(b));
  for (const [, members] of groups) members.sort((a, b) => a.born - b.born);
  calm.sort((a, b) => b.born - a.born);
  const busy = groups.flatMap(([, members]) => members);
  return reversed ? [...calm, ...busy] : [...busy, ...calm];
}
