// The admin endpoints: requests with the token where one is needed, and the stream of events.

const kTokenName = 'connguard-token';
const kToken = /^[A-Za-z0-9._~+/=-]+$/;  // RFC 6750's b64token; fetch throws for some others
const kSilenceLimitMs = 40_000;  // the guard sends a comment every 15 s
const kFirstPauseMs = 500;
const kLongestPauseMs = 10_000;

export const isToken = (text) => kToken.test(text);

// What is kept for this tab; null when that is none that can be sent.
function keptToken() {
  const token = sessionStorage.getItem(kTokenName);
  return token !== null && isToken(token) ? token : null;
}

// An answer other than 2xx.
export class Problem extends Error {
  constructor(status, body) {
    super(body.detail ?? body.title ?? `HTTP ${status}`);
    this.status = status;
    this.errors = body.errors ?? [];
  }
}

export class Api {
  // `askForToken(refused)` resolves to a token; one question serves all requests that wait for it.
  constructor(askForToken) {
    this.askForToken = askForToken;
    this.asking = null;
  }

  // Resolves to a 2xx Response. Throws Problem, TypeError (not reachable), AbortError.
  async request(path, options = {}) {
    for (;;) {
      const token = keptToken();
      const headers = token ? { Authorization: `Bearer ${token}` } : {};
      const response = await fetch(path, { ...options, headers, cache: 'no-store' });
      if (response.ok) return response;
      if (response.status !== 401) {
        throw new Problem(response.status, await response.json().catch(() => ({})));
      }
      // Another request may have got a good one meanwhile.
      if (token === keptToken()) await this.renewToken(token !== null);
    }
  }

  async renewToken(refused) {
    this.asking ??= this.askForToken(refused).finally(() => {
      this.asking = null;
    });
    sessionStorage.setItem(kTokenName, await this.asking);
  }

  async json(path, options) {
    return (await this.request(path, options)).json();
  }
}

// Splits a text/event-stream into events.
export class EventParser {
  constructor(onEvent) {
    this.onEvent = onEvent;
    this.rest = '';
  }

  push(text) {
    const lines = (this.rest + text).split(/\r?\n/);
    this.rest = lines.pop();
    for (const line of lines) {
      if (line === '') this.finish();
      else if (line.startsWith('event:')) this.kind = line.slice(6).trim();
      else if (line.startsWith('data:')) this.data = (this.data ?? '') + line.slice(5).trim();
    }
  }

  finish() {
    const { kind, data } = this;
    this.kind = this.data = undefined;
    if (data === undefined) return;
    // One event that cannot be used is not to end the stream, which would come back with it.
    try {
      this.onEvent(kind ?? 'message', JSON.parse(data));
    } catch (error) {
      console.error(`event ${kind}:`, error);
    }
  }
}

// Keeps a stream of events open. `onLink` is told connecting, live or lost; after each
// `live` whatever was known before may be stale.
export class Feed {
  constructor(api, { onEvent, onLink }) {
    this.api = api;
    this.onEvent = onEvent;
    this.onLink = onLink;
    this.hurry = () => {};
    window.addEventListener('online', () => this.hurry());
    document.addEventListener('visibilitychange', () => document.hidden || this.hurry());
  }

  async run() {
    for (let failures = 0; ; ++failures) {
      this.onLink('connecting');
      try {
        await this.stream(() => {
          failures = 0;
        });
      } catch (error) {
        console.debug('event stream:', error.message);
      }
      const longest = Math.min(kLongestPauseMs, kFirstPauseMs * 2 ** failures);
      const pause = longest * (0.75 + Math.random() / 4);
      this.onLink('lost');
      await new Promise((resolve) => {
        this.hurry = resolve;
        setTimeout(resolve, pause);
      });
    }
  }

  async stream(onOpen) {
    const abort = new AbortController();
    const response = await this.api.request('/v1/events', { signal: abort.signal });
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    const parser = new EventParser(this.onEvent);
    let watch;
    const alive = () => {
      clearTimeout(watch);
      watch = setTimeout(() => abort.abort(), kSilenceLimitMs);
    };
    alive();
    onOpen();
    this.onLink('live');
    try {
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return;
        alive();
        parser.push(value);
      }
    } finally {
      clearTimeout(watch);
      abort.abort();
    }
  }
}
