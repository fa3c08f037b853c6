// The HTML report in Chromium: it works, asks nobody for anything, and everybody can use it.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { open } from './browser.js';

const require = createRequire(import.meta.url);
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const project = resolve(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'rowferry-report-'));

const EVIL = '</script><script>window.owned = 1</script><img src=x onerror="window.owned = 2">\u2028"\'';

function rowferry(exit, ...words) {
  const ran = spawnSync(process.env.ROWFERRY, words, {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: folder, XDG_STATE_HOME: join(folder, 'state'), TMPDIR: folder },
    encoding: 'utf8',
  });
  assert.equal(ran.status, exit, ran.stderr);
}

const MAPPING = `
target = "sphinx"
[row]
key = "Id"
[fields]
external_id = "Id"
full_name = "Name"
customer_type = { value = "INDIVIDUAL" }
[custom]
email = { column = "Email", type = "email" }
age = { column = "Age", type = "integer", max = 120, on_error = "null" }
`;

before(() => {
  for (const name of ['samples', 'mappings']) cpSync(join(project, name), join(folder, name), { recursive: true });
  const messy = ['samples/customers-messy.xlsx', '--mapping', 'mappings/sphinx.toml'];
  rowferry(1, 'check', ...messy, '--html', 'check.html');
  rowferry(1, 'import', ...messy, '--sandbox', '--ledger', 'l.db', '--html', 'import.html');
  rowferry(0, 'report', 'last', '--ledger', 'l.db', '--html', 'again.html');
  writeFileSync(join(folder, 'm.toml'), MAPPING);
  const quoted = (text) => `"${text.replaceAll('"', '""')}"`;
  writeFileSync(join(folder, 'evil.csv'), `Id,Name,Email,Age\n1,Ann,${quoted(EVIL)},1\n2,Bea,b@b.example,${quoted(EVIL)}\n`);
  rowferry(1, 'check', 'evil.csv', '--mapping', 'm.toml', '--html', 'evil.html');
  let many = 'Id,Name,Email,Age\n';
  for (let row = 2; row < 12_002; row += 1) many += `${row},Name ${row},wrong-${row},${row % 4 === 0 ? 'old' : 7}\n`;
  writeFileSync(join(folder, 'many.csv'), many);
  rowferry(1, 'check', 'many.csv', '--mapping', 'm.toml', '--html', 'many.html');
});

after(() => rmSync(folder, { recursive: true, force: true }));

/** Opens a page of the folder, and fails at its end if it complained or asked for anything. */
async function on(name, options, look) {
  const browser = await open(options);
  const page = await browser.newPage();
  const url = pathToFileURL(join(folder, name)).href;
  const complaints = [];
  page.on('console', (message) => complaints.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => complaints.push(`error: ${error.message}`));
  page.on('dialog', (dialog) => { complaints.push('a dialog'); dialog.dismiss(); });
  page.on('request', (request) => {
    const asked = request.url().replace(/#.*/, '');
    if (asked !== url && asked !== 'data:,') complaints.push(`asked for ${asked}`);
  });
  try {
    await page.goto(url);
    await look(page, browser);
  } finally {
    await browser.close();
  }
  assert.deepEqual(complaints, []);
}

const shown = (page) => page.locator('#list tbody tr:visible');

async function serious(page) {
  // Not by a script element: the page lets none in.
  await page.evaluate(axe);
  const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
  return found.violations
    .filter((one) => ['serious', 'critical'].includes(one.impact))
    .map((one) => `${one.id}: ${one.nodes.slice(0, 3).map((node) => node.html.slice(0, 120)).join(' | ')}`);
}

for (const colorScheme of ['light', 'dark']) {
  for (const name of ['check.html', 'import.html', 'again.html']) {
    test(`everybody can use ${name}, ${colorScheme}`, async () => {
      for (const width of [1200, 400]) {
        await on(name, { colorScheme, viewport: { width, height: 900 } }, async (page) => {
          assert.deepEqual(await serious(page), []);
          assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), width);
          assert.equal(await page.locator('h1').count(), 1);
        });
      }
    });
  }
}

test('filters by column, code and text leave what fits', async () => {
  await on('check.html', {}, async (page) => {
    const all = await shown(page).count();
    assert.ok(all > 20, `${all}`);
    await page.getByLabel('Column', { exact: true }).selectOption({ label: 'Email (2)' });
    assert.equal(await shown(page).count(), 2);
    await page.getByText(`2 of ${all} problems fit`).waitFor();
    await page.getByLabel('Text', { exact: true }).fill('BOB@');
    await page.getByText(`1 of ${all} problems fit`).waitFor();
    assert.match(await shown(page).first().innerText(), /F3/);
    await page.getByRole('button', { name: 'Clear' }).click();
    await page.getByText(`${all} problems`, { exact: true }).waitFor();
    assert.equal(await shown(page).count(), all);
    await page.getByLabel('Code', { exact: true }).selectOption({ label: 'phone.invalid (3)' });
    assert.equal(await shown(page).count(), 3);
    assert.equal(await page.getByRole('status').getAttribute('aria-live'), 'polite');
  });
});

test('the keyboard alone is enough', async () => {
  await on('check.html', {}, async (page) => {
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Skip to the report');
    await page.getByLabel('Column', { exact: true }).focus();
    await page.keyboard.type('Phone');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'f-text');
    await page.keyboard.type('office');
    await page.getByText(/^1 of \d+ problems fit$/).waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByText(/^\d+ problems$/).waitFor();
    const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
    assert.notEqual(outline, 'none');
  });
});

test('links lead to cells, and what hides them is taken away', async () => {
  await on('check.html', {}, async (page) => {
    await page.getByLabel('Column', { exact: true }).selectOption({ label: 'Phone (3)' });
    await page.locator('#causes').getByRole('link', { name: 'F3', exact: true }).click();
    await page.locator('#cell-F3.here').waitFor();
    assert.ok(await page.locator('#cell-F3').isVisible());
    assert.equal(await page.getByLabel('Column', { exact: true }).inputValue(), '');
    // The count of a column leads to its problems.
    await page.locator('#where').getByRole('link', { name: /^3 problems of this column/ }).first().click();
    await page.getByText(/^\d+ of \d+ problems fit$/).waitFor();
  });
});

test('a reference to a cell can be copied', async () => {
  await on('check.html', { permissions: ['clipboard-read', 'clipboard-write'] }, async (page) => {
    await page.getByRole('button', { name: 'Copy F3' }).click();
    await page.getByText('F3 copied', { exact: true }).waitFor();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), 'F3');
  });
});

test('a cell that holds a script is text', async () => {
  await on('evil.html', {}, async (page) => {
    assert.equal(await page.evaluate(() => window.owned), undefined);
    assert.equal(await page.locator('img').count(), 0);
    assert.equal(await page.locator('script').count(), 2);
    const text = await page.locator('#cell-C2').innerText();
    assert.ok(text.includes('</script><script>window.owned = 1</script><img src=x onerror="window.owned = 2">'), text);
    await page.getByLabel('Text', { exact: true }).fill('<SCRIPT>');
    await page.getByText('2 problems', { exact: true }).waitFor();
    assert.equal(await shown(page).count(), 2);
  });
});

test('10,000 problems filter, and the page says how many there are', async () => {
  await on('many.html', {}, async (page) => {
    assert.equal(await page.locator('#list tbody tr').count(), 10_000);
    await page.getByText('The first 10,000 of 15,000 problems are listed').waitFor();
    assert.equal(await shown(page).count(), 200);
    await page.getByLabel('Text', { exact: true }).fill('wrong-7999');
    await page.getByText('1 of 10,000 problems fit', { exact: true }).waitFor();
    assert.equal(await shown(page).count(), 1);
    await page.getByRole('button', { name: 'Clear' }).click();
    await page.getByText('10,000 problems; the first 200 are shown', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Show 200 more' }).click();
    assert.equal(await shown(page).count(), 400);
    // A link to a cell far down brings it into sight.
    await page.evaluate(() => { location.hash = '#cell-C7001'; });
    await page.locator('#cell-C7001.here').waitFor();
    assert.ok(await page.locator('#cell-C7001').isVisible());
  });
});

test('without scripts the page still tells everything', async () => {
  await on('check.html', { javaScriptEnabled: false }, async (page) => {
    assert.ok(await page.locator('#causes').getByText('nothing stands behind the @').first().isVisible());
    assert.ok(await page.locator('#cell-F3').isVisible());
    assert.equal(await page.locator('#filter').isVisible(), false);
  });
});

test('it prints, with every problem and no controls', async () => {
  await on('many.html', {}, async (page) => {
    await page.emulateMedia({ media: 'print' });
    assert.equal(await page.locator('#filter').isVisible(), false);
    assert.equal(await shown(page).count(), 10_000);
  });
  await on('check.html', {}, async (page) => {
    const pdf = join(folder, 'check.pdf');
    await page.pdf({ path: pdf, format: 'A4' });
    assert.ok(statSync(pdf).size > 20_000);
    assert.equal(readFileSync(pdf).subarray(0, 5).toString(), '%PDF-');
  });
});

test('what an import did is drawn', async () => {
  await on('import.html', {}, async (page) => {
    await page.getByRole('heading', { name: 'How it went' }).waitFor();
    await page.getByRole('img', { name: 'Rows by what becomes of them' }).waitFor();
    assert.ok(await page.getByText('customers created').isVisible());
  });
  await on('again.html', {}, async (page) => {
    await page.getByText('Made again from the ledger.').waitFor();
    assert.equal(await page.getByText('bob@').count(), 0);
    await page.locator('#cell-F3').waitFor();
  });
});
