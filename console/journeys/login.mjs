// A login on pages without a line of script, in both languages; then the console, and the way out.

import assert from 'node:assert/strict';

import { en } from './words.mjs';

const submit = (page) => page.locator('main form button[type=submit]').first();

/** Logs in up to the second factor. */
async function begin(page, name, password) {
  await page.locator('input[name=name]').fill(name);
  await page.locator('input[name=password]').fill(password);
  await submit(page).click();
}

/** Somebody goes to a page of the console, is led to the login, and after it is where they wanted to be. */
async function inLanguage(stage, { language, name }) {
  const { password } = await stage.ask({ do: 'person', name, roles: ['analyst'] });
  const page = await stage.window({ scripts: false, language });
  await page.goto('/alerts?levels=high');
  assert.equal(new URL(page.url()).pathname, '/login');
  assert.equal(await page.locator('html').getAttribute('lang'), language);
  await stage.shoot(`login-${language}`, page);

  // A wrong password: the page says so, and keeps the name.
  await begin(page, name, 'a wrong password altogether');
  await page.getByRole('alert').waitFor();
  assert.equal(await page.locator('input[name=name]').inputValue(), name);
  assert.equal(await page.locator('input[name=password]').inputValue(), '');
  await stage.shoot(`login-wrong-${language}`, page);

  await begin(page, name, password);
  await page.locator('input[name=code]').fill('000000');
  await submit(page).click();
  await page.getByRole('alert').waitFor();
  const { code } = await stage.ask({ do: 'code', who: name });
  await page.locator('input[name=code]').fill(code);
  await stage.shoot(`login-code-${language}`, page);
  await submit(page).click();
  await page.waitForURL((url) => url.pathname === '/alerts' && url.search === '?levels=high');
  return page;
}

export default async function (stage) {
  // Wrong on purpose.
  stage.expect(/status of 401/, /status of 403/, /status of 422/, /status of 429/);
  const chinese = await inLanguage(stage, { language: 'zh-CN', name: 'wei' });
  const english = await inLanguage(stage, { language: 'en', name: 'olga' });

  // A language that is chosen is remembered, whatever the browser prefers.
  await chinese.context().clearCookies({ name: /^(?!lang$)/ });
  await chinese.goto('/login');
  await chinese.locator('footer a[lang=en]').click();
  await chinese.goto('/login');
  assert.equal(await chinese.locator('html').getAttribute('lang'), 'en');

  // A link that says nothing: a page that says so.
  const lost = await english.goto('/enter/gen_nothing');
  assert.ok(lost.status() >= 400 && (await english.locator('h1').innerText()));
  await stage.shoot('login-error', english);

  // The session is that of the console.
  const page = await stage.window();
  await page.context().addCookies(await english.context().cookies());
  await stage.show(page, '/');
  assert.match(await page.title(), new RegExp(en('home.title')));
  await page.getByRole('button', { name: en('frame.account', { name: 'olga' }) }).click();
  await stage.shoot('login-home', page);
  await page.getByRole('menuitem', { name: en('frame.log_out') }).click();
  await page.waitForURL('**/login**');
  await page.goto('/alerts');
  await page.waitForURL('**/login?next=**');
  assert.equal(await page.locator('input[name=password]').count(), 1);
}
