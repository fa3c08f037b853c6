(() => {
  'use strict';
  const byId = (id) => document.getElementById(id);
  const number = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, ',');
  const table = byId('list');
  if (table) {
    const STEP = 200;
    const rows = Array.from(table.tBodies[0].rows);
    const kinds = JSON.parse(table.dataset.kinds);
    const ofRow = rows.map((row) => kinds[Number(row.dataset.k)]);
    const form = byId('filter');
    const selects = ['column', 'code', 'state'].map((name) => byId('f-' + name));
    const text = byId('f-text');
    const status = byId('shown');
    const more = byId('more');
    // What each row is: 0 filtered away, 1 fits and is not shown yet, 2 shown.
    const states = new Uint8Array(rows.length).fill(2);
    let texts = null;
    let limit = STEP;
    let said = '';

    const copyButton = (row) => {
      const cell = row.cells[0];
      if (cell.lastElementChild.classList.contains('copy')) return;
      const button = document.createElement('button');
      button.type = 'button';
      button.className = 'copy';
      button.textContent = 'Copy';
      button.setAttribute('aria-label', 'Copy ' + cell.firstElementChild.textContent);
      cell.append(' ', button);
    };

    const apply = () => {
      const wanted = selects.map((select) => (select ? select.value : ''));
      const words = text.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
      if (words.length && !texts) texts = rows.map((row) => row.textContent.toLowerCase());
      let found = 0;
      for (let at = 0; at < rows.length; at += 1) {
        const kind = ofRow[at];
        const fits =
          wanted.every((value, place) => !value || kind[place] === value) &&
          words.every((word) => texts[at].includes(word));
        if (fits) found += 1;
        const state = !fits ? 0 : found <= limit ? 2 : 1;
        if (state === 2) copyButton(rows[at]);
        if (states[at] !== state) {
          states[at] = state;
          rows[at].className = state === 2 ? '' : state === 1 ? 'later' : 'off';
        }
      }
      table.classList.add('ready');
      const shown = Math.min(found, limit);
      more.hidden = found <= limit;
      byId('more-button').textContent = 'Show ' + number(Math.min(STEP, found - shown)) + ' more';
      byId('all-button').textContent = 'Show all ' + number(found);
      const all = rows.length;
      const what = found === all ? number(all) + (all === 1 ? ' problem' : ' problems')
        : number(found) + ' of ' + number(all) + ' problems fit';
      const told = found > shown ? what + '; the first ' + number(shown) + ' are shown' : what;
      if (told !== said) {
        said = told;
        status.textContent = told;
      }
    };

    const anew = () => {
      limit = STEP;
      apply();
    };

    let timer = 0;
    const soon = () => {
      clearTimeout(timer);
      timer = setTimeout(anew, 120);
    };

    const reveal = () => {
      let id = '';
      try {
        id = decodeURIComponent(location.hash.slice(1));
      } catch {
        return;
      }
      const row = id ? byId(id) : null;
      const at = row ? rows.indexOf(row) : -1;
      if (at < 0) return;
      if (states[at] === 0) {
        form.reset();
        apply();
      }
      if (states[at] === 1) {
        const before = states.subarray(0, at + 1).reduce((sum, state) => sum + (state > 0 ? 1 : 0), 0);
        limit = Math.ceil(before / STEP) * STEP;
        apply();
      }
      for (const other of table.querySelectorAll('.here')) other.classList.remove('here');
      row.classList.add('here');
      row.tabIndex = -1;
      row.focus({ preventScroll: true });
      row.scrollIntoView({ block: 'center' });
    };

    for (const select of selects) if (select) select.addEventListener('change', anew);
    text.addEventListener('input', soon);
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      anew();
    });
    form.addEventListener('reset', () => setTimeout(anew, 0));
    byId('more-button').addEventListener('click', () => {
      const first = states.lastIndexOf(2) + 1;
      limit += STEP;
      apply();
      const next = states.indexOf(2, first);
      if (next >= 0) rows[next].querySelector('a').focus();
    });
    byId('all-button').addEventListener('click', () => {
      limit = rows.length;
      apply();
    });
    const copy = async (button) => {
      const reference = button.parentElement.firstElementChild.textContent;
      let copied = true;
      try {
        await navigator.clipboard.writeText(reference);
      } catch {
        const area = document.createElement('textarea');
        area.value = reference;
        document.body.append(area);
        area.select();
        copied = document.execCommand('copy');
        area.remove();
        button.focus();
      }
      said = copied ? reference + ' copied' : reference + ' could not be copied';
      status.textContent = said;
      button.textContent = copied ? 'Copied' : 'Copy';
      setTimeout(() => { button.textContent = 'Copy'; }, 1500);
    };
    table.addEventListener('click', (event) => {
      const button = event.target.closest('.copy');
      if (button) copy(button);
    });
    document.addEventListener('click', (event) => {
      const link = event.target.closest('a.jump');
      if (!link) return;
      form.reset();
      const set = (place, value) => {
        const select = selects[place];
        if (select && value && Array.from(select.options).some((option) => option.value === value)) {
          select.value = value;
        }
      };
      set(0, link.dataset.column);
      set(1, link.dataset.code);
      // After the reset has been seen to.
      setTimeout(anew, 0);
    });
    addEventListener('hashchange', reveal);
    apply();
    reveal();
  }
  let opened = [];
  addEventListener('beforeprint', () => {
    opened = Array.from(document.querySelectorAll('details:not([open])'));
    for (const one of opened) one.open = true;
  });
  addEventListener('afterprint', () => {
    for (const one of opened) one.open = false;
  });
})();
