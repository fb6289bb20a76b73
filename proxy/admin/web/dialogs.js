// The token's dialog, and questions before something is done that others notice.
import { isToken } from './api.js';
import { byId, make } from './words.js';

const kWrongToken = 'A token is letters, digits and - . _ ~ + / = without spaces.';

// Resolves to what was typed, once that can be a token.
export function askForToken(refused) {
  const dialog = byId('token-dialog');
  const field = byId('token');
  const error = byId('token-error');
  const open = () => {
    if (!dialog.open) dialog.showModal();
    field.focus();
  };
  error.textContent = refused ? 'This token was refused.' : '';
  field.value = '';
  open();
  return new Promise((resolve) => {
    // Without a token there is nothing to see behind the dialog; browsers close it all the same
    // when Escape is pressed twice.
    dialog.oncancel = (event) => event.preventDefault();
    dialog.onclose = open;
    dialog.querySelector('form').onsubmit = (event) => {
      const token = field.value.trim();
      if (!isToken(token)) {
        event.preventDefault();
        error.textContent = kWrongToken;
        field.select();
        field.focus();
        return;
      }
      dialog.onclose = null;
      resolve(token);
    };
  });
}

// A question; `act` is called when it is answered with yes. What it resolves to ({lines, lists}) is
// shown until the dialog is closed, nothing closes it at once; what it throws is shown.
export function confirm({ title, text, go, danger = false, act }) {
  const dialog = byId('confirm');
  const button = byId('confirm-go');
  const cancel = byId('confirm-cancel');
  const result = byId('confirm-result');
  byId('confirm-title').textContent = title;
  byId('confirm-text').textContent = text;
  button.textContent = go;
  button.classList.toggle('danger', danger);
  button.hidden = button.disabled = false;
  cancel.textContent = 'Cancel';
  result.replaceChildren();
  cancel.onclick = () => dialog.close();
  dialog.querySelector('form').onsubmit = async (event) => {
    event.preventDefault();
    button.disabled = true;
    try {
      const outcome = await act();
      if (!outcome) {
        dialog.close();
        return;
      }
      show(result, outcome);
    } catch (error) {
      show(result, {
        bad: true,
        lines: [error.message],
        lists: { 'What is wrong': error.errors ?? [] },
      });
    }
    button.hidden = true;
    cancel.textContent = 'Close';
    cancel.focus();
  };
  dialog.showModal();
  cancel.focus();  // the answer that changes nothing
}

function show(result, { bad = false, lines = [], lists = {} }) {
  result.className = bad ? 'bad' : '';
  result.replaceChildren(...lines.map((line) => make('p', '', line)));
  for (const [title, items] of Object.entries(lists)) {
    if (!items.length) continue;
    const list = make('ul', 'plan');
    list.append(...items.map((item) => make('li', '', item)));
    result.append(make('h3', '', title), list);
  }
}

export function confirmDrain(api) {
  confirm({
    title: 'Drain this guard?',
    text:
      'As with SIGTERM: it is not ready from now on, accepts no new connections, ends each tunnel ' +
      'when its turn is over, and then the process exits. This cannot be taken back.',
    go: 'Drain',
    danger: true,
    act: async () => {
      await api.json('/v1/drain', { method: 'POST' });
    },
  });
}

export function confirmReload(api) {
  confirm({
    title: 'Reload the configuration?',
    text:
      'The file is read anew. What is in it applies to new connections; live tunnels keep what ' +
      'they were born with. A file with an error changes nothing.',
    go: 'Reload',
    act: async () => {
      const { result, generation, plan } = await api.json('/v1/reload', { method: 'POST' });
      const line =
        result === 'applied'
          ? `Applied: configuration ${generation}.`
          : 'The file says what is in force already.';
      return {
        lines: [line],
        lists: { 'In force now': plan?.live ?? [], 'After a restart only': plan?.restart ?? [] },
      };
    },
  });
}

export function confirmClose(api, session, say) {
  const turns = session.turns ? ' Its turn in flight is brought to its end under the shield.' : '';
  const shielded = session.state === 'shielded';
  const name = session.key ? `Key ${session.key}` : `Session ${session.id}`;
  const what =
    session.state === 'waiting'
      ? 'the handshake that is held is answered with 503.'
      : shielded
        ? 'the client is gone already; its shield is given up: the upstream is closed in mid-turn, ' +
          'and reset if that takes it too long.'
        : `the client gets Close 1000 (“closed by the operator”).${turns}`;
  confirm({
    title: shielded ? 'End this shield?' : 'Close this session?',
    text: `${name} of ${session.address}: ${what}`,
    go: shielded ? 'End shield' : 'Close session',
    danger: true,
    act: async () => {
      const query = shielded ? '?shield=end' : '';
      const path = `/v1/sessions/${encodeURIComponent(session.id)}${query}`;
      await api.json(path, { method: 'DELETE' });
      say(`Session ${session.id} is being closed.`);
    },
  });
}
