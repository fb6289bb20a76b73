// The demo's page: two chats with the same agent, and one scenario that runs in both.

const kDropAfterTokens = 3;
const kRetryPauseMs = 3000;  // three attempts: at once, in mid-turn, and long after its end
const kAttempts = 3;
const kHandshakeLimitMs = 20000;
const kMessages = ['Tell me what happens when I leave.', 'I am back. Do you still hear me?'];

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const byId = (id) => document.getElementById(id);
const duration = (ms) => (ms < 100 ? `${ms.toFixed(0)} ms` : `${(ms / 1000).toFixed(1)} s`);

function freshUser() {
  const bytes = crypto.getRandomValues(new Uint8Array(4));
  return 'visitor-' + Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

// One chat: a WebSocket, its log and its buttons.
class Pane {
  constructor(options) {
    this.options = options;
    this.user = freshUser();
    this.socket = null;
    this.busy = false;  // the scenario is in charge
    this.answer = null;
    this.tokens = 0;
    this.watchers = new Set();
    this.build();
    this.show('closed', 'Not connected');
  }

  build() {
    const { name, title, explain } = this.options;
    const root = byId('pane').content.cloneNode(true).querySelector('section');
    const find = (selector) => root.querySelector(selector);
    root.id = name;
    find('h2').textContent = title;
    find('h2').id = `${name}-title`;
    root.setAttribute('aria-labelledby', `${name}-title`);
    find('.explain').textContent = explain;
    find('.log').setAttribute('aria-label', `Messages, ${title}`);
    find('label').textContent = `Message, ${title}`;
    find('label').htmlFor = `${name}-text`;
    this.input = find('input');
    this.input.id = `${name}-text`;
    this.input.value = kMessages[0];
    this.log = find('.log');
    this.status = find('.status');
    this.verdictLine = find('.verdict');
    this.addressLine = find('.address');
    this.buttons = {
      send: find('.send'), drop: find('.drop'), reconnect: find('.reconnect'),
    };
    find('form').addEventListener('submit', (event) => {
      event.preventDefault();
      this.sendByHand();
    });
    this.buttons.drop.addEventListener('click', () => this.drop());
    this.buttons.reconnect.addEventListener('click', () => this.connect());
    byId('panes').append(root);
  }

  get address() {
    return `ws://${this.options.host}/ws/${this.user}`;
  }

  get open() {
    return this.socket !== null && this.socket.readyState === WebSocket.OPEN;
  }

  show(state, text) {
    this.state = state;
    this.status.dataset.state = state;
    this.status.querySelector('.status-text').textContent = text;
    this.addressLine.textContent = this.address;
    const connecting = this.socket !== null && !this.open;
    this.buttons.send.disabled = this.busy || !this.open || this.answer !== null;
    this.buttons.drop.disabled = this.busy || !this.open;
    this.buttons.reconnect.disabled = this.busy || this.open || connecting;
    for (const watcher of [...this.watchers]) watcher();
  }

  refresh() {
    this.show(this.state, this.status.textContent.trim());
  }

  // Resolves when `condition` holds after some change of this pane; rejects after `limitMs`.
  until(condition, limitMs) {
    return new Promise((resolve, reject) => {
      const finish = (settle, value) => {
        this.watchers.delete(check);
        clearTimeout(timer);
        settle(value);
      };
      const check = () => condition() && finish(resolve);
      const timer = setTimeout(() => finish(reject, new Error('timed out')), limitMs);
      this.watchers.add(check);
      check();
    });
  }

  add(kind, text) {
    const line = document.createElement('li');
    line.className = kind;
    line.textContent = text;
    this.log.append(line);
    this.log.scrollTop = this.log.scrollHeight;
    return line;
  }

  verdict(result, text) {
    this.verdictLine.hidden = false;
    this.verdictLine.dataset.result = result;
    this.verdictLine.textContent = text;
    this.log.scrollTop = this.log.scrollHeight;  // the verdict takes room from the log
  }

  // Resolves to true when the connection is open, to false when it was refused.
  connect() {
    const started = performance.now();
    const socket = new WebSocket(this.address);
    this.socket = socket;
    this.show('busy', 'Connecting…');
    const waiting = setTimeout(() => this.show('busy', this.options.waiting), 400);
    const limit = setTimeout(() => socket.close(), kHandshakeLimitMs);
    return new Promise((resolve) => {
      socket.onopen = () => {
        clearTimeout(waiting);
        clearTimeout(limit);
        this.lastConnectMs = performance.now() - started;
        this.add('event', `Connected after ${duration(this.lastConnectMs)}.`);
        this.show('open', 'Connected');
        resolve(true);
      };
      socket.onmessage = (event) => this.receive(JSON.parse(event.data));
      socket.onclose = (event) => {
        clearTimeout(waiting);
        clearTimeout(limit);
        if (this.socket === socket) this.closed(event);
        resolve(false);
      };
    });
  }

  closed(event) {
    const refused = this.lastConnectMs === undefined;
    this.socket = null;
    this.lastConnectMs = undefined;
    if (this.answer !== null) this.answer.classList.add('cut');
    this.finishAnswer();
    if (!refused) {
      this.add('event', this.dropped ? 'You dropped the connection.' : `Closed (${event.code}).`);
      this.dropped = false;
      return this.show('closed', 'Not connected');
    }
    this.add('event bad', 'The agent refused the connection.');
    this.show('failed', 'Refused');
    if (!this.busy) this.explainRefusal();
  }

  // Browsers do not tell why a WebSocket was refused; the agent's log does.
  async refusal() {
    const answer = await fetch('/log');
    const lines = (await answer.json()).filter((line) => line.user === this.user);
    const refusal = lines.filter((line) => line.event.startsWith('connect failed: ')).pop();
    return refusal ? refusal.event.slice('connect failed: '.length) : 'no entry in its log';
  }

  async explainRefusal() {
    this.add('event bad backend', await this.refusal().catch(() => 'the agent is not reachable'));
  }

  receive(message) {
    if (this.answer === null) this.answer = this.add('agent streaming', '');
    if (message.type === 'chat_token') {
      this.answer.append(this.tokens === 0 ? message.content.trimStart() : message.content);
      this.tokens += 1;
    } else {
      this.answer.textContent = message.content;
      this.finishAnswer();
    }
    this.log.scrollTop = this.log.scrollHeight;
    this.show('open', this.answer === null ? 'Connected' : 'Answering…');
  }

  finishAnswer() {
    if (this.answer !== null) this.answer.classList.remove('streaming');
    this.answer = null;
  }

  send(text) {
    this.tokens = 0;
    this.add('user', text);
    this.answer = this.add('agent streaming', '');
    this.socket.send(JSON.stringify({ text }));
    this.show('open', 'Answering…');
  }

  sendByHand() {
    const text = this.input.value.trim();
    if (this.buttons.send.disabled || text === '') return;
    this.send(text);
  }

  drop() {
    this.dropped = true;
    this.socket.close();
    this.show('busy', 'Dropping…');
  }

  clear() {
    this.log.replaceChildren();
    this.verdictLine.hidden = true;
  }

  async hangUp() {
    if (this.socket === null) return;
    this.socket.close();
    await this.until(() => this.socket === null, kHandshakeLimitMs);
  }

  // The scenario. `step` tells the page how far it is.
  async run(step) {
    await this.hangUp();
    this.user = freshUser();
    this.clear();
    step('send');
    if (!await this.connect()) return this.verdict('bad', 'The agent is not reachable.');
    this.send(kMessages[0]);
    await this.until(() => this.tokens >= kDropAfterTokens, kHandshakeLimitMs);
    step('drop');
    this.drop();
    await this.until(() => this.socket === null, kHandshakeLimitMs);
    step('reconnect');
    const left = performance.now();
    const attempt = await this.connectPatiently();
    if (attempt === 0) {
      step('again');
      return this.verdict('bad', `Locked out: ${kAttempts} attempts in `
        + `${duration(performance.now() - left)}, and every one was refused.`);
    }
    const held = performance.now() - left;
    step('again');
    this.send(kMessages[1]);
    await this.until(() => this.answer === null, kHandshakeLimitMs);
    if (!this.open) return this.verdict('bad', 'The second answer was cut off.');
    const which = attempt === 1 ? 'the first attempt' : `attempt ${attempt}`;
    this.verdict('good', `Back after ${duration(held)} at ${which}; `
      + `the second answer is complete (${this.tokens} tokens).`);
  }

  // Resolves to the number of the attempt that succeeded, to 0 when none did.
  async connectPatiently() {
    for (let attempt = 1; attempt <= kAttempts; attempt += 1) {
      if (await this.connect()) return attempt;
      await this.explainRefusal();
      if (attempt < kAttempts) await sleep(kRetryPauseMs);
    }
    return 0;
  }
}

// Marks a step as reached once both panes are there.
function stepper() {
  const items = [...byId('steps').children];
  const reached = new Map();
  for (const item of items) item.className = '';
  return (pane) => (name) => {
    const index = items.findIndex((item) => item.dataset.step === name);
    reached.set(pane, name === 'end' ? items.length : index);
    const slowest = Math.min(...reached.values());
    items.forEach((item, i) => {
      item.className = i < slowest ? 'done' : (i === slowest ? 'now' : '');
    });
  };
}

async function showMe(panes) {
  const step = stepper();
  setBusy(panes, true);
  await Promise.all(panes.map(async (pane) => {
    const mine = step(pane);
    mine('send');
    await pane.run(mine).catch((error) => pane.verdict('bad', `The demo broke off: ${error.message}.`));
    mine('end');
  }));
  setBusy(panes, false);
}

function setBusy(panes, busy) {
  byId('show').disabled = busy;
  byId('restart').disabled = busy;
  document.body.dataset.scenario = busy ? 'running' : 'over';
  for (const pane of panes) {
    pane.busy = busy;
    pane.refresh();
  }
}

async function restart(panes) {
  await fetch('/reset', { method: 'POST' });
  for (const pane of panes) pane.add('event', 'The agent was restarted.');
}

function notice(text) {
  byId('notice').textContent = text;
  byId('notice').hidden = false;
}

async function main() {
  const about = await (await fetch('/demo.json')).json();
  const direct = `${location.hostname}:${about.agent_port}`;
  const panes = [
    new Pane({
      name: 'guarded',
      title: 'With connguard',
      explain: 'Your reconnect is held until the agent is ready for it.',
      host: location.host,
      waiting: 'Held until the old answer ends…',
    }),
    new Pane({
      name: 'bare',
      title: 'Without',
      explain: 'A drop in mid-answer locks you out until a restart.',
      host: direct,
      waiting: 'Connecting…',
    }),
  ];
  if (location.host === direct) {
    notice('This is the agent itself: both sides are without the guard. Open the guard’s address instead.');
  }
  byId('show').addEventListener('click', () => showMe(panes));
  byId('restart').addEventListener('click', () => restart(panes));
  for (const pane of panes) pane.connect();
}

main().catch(() => notice('The agent does not answer. Is connguard demo still running?'));
