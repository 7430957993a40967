// The first start: the link that the server printed makes the first administrator, without a line of script, and leads to
// the console.

import assert from 'node:assert/strict';

export default async function (stage) {
  const { link } = stage.given;
  const page = await stage.window({ scripts: false });

  // What is typed wrong stands beside its field, and nothing of it is lost.
  await page.goto(link);
  await stage.shoot('first-link', page);
  await page.locator('input[name=name]').fill('no such name!');
  await page.locator('input[name=full_name]').fill('Anna Petrova');
  await page.locator('input[name=email]').fill('anna@example.org');
  stage.expect(/status of 422/, /status of 401/);
  await page.locator('form button[type=submit]').first().click();
  assert.equal(await page.locator('input[name=name]').getAttribute('aria-invalid'), 'true');
  assert.equal(await page.locator('input[name=full_name]').inputValue(), 'Anna Petrova');
  assert.ok(await page.locator('#name-wrong').innerText());
  await stage.shoot('first-refused', page);

  // The same page in the other language.
  await page.locator('footer a[lang=zh-CN]').click();
  assert.equal(await page.locator('html').getAttribute('lang'), 'zh-CN');
  await stage.shoot('first-link-zh', page);
  await page.locator('footer a[lang=en]').click();

  await page.locator('input[name=name]').fill('anna');
  await page.locator('input[name=full_name]').fill('Anna Petrova');
  await page.locator('input[name=email]').fill('anna@example.org');
  await page.locator('form button[type=submit]').first().click();
  await page.locator('input[name=new_password]').fill('plain words that nobody guesses');
  await stage.shoot('first-password', page);
  await page.locator('form button[type=submit]').first().click();

  const secret = await page.locator('.secret code').innerText();
  const { code } = await stage.ask({ do: 'totp', secret });
  await page.locator('input[name=code]').fill(code);
  await stage.shoot('first-app', page);
  await page.locator('form button[type=submit]').first().click();
  assert.ok((await page.locator('ul.codes code').count()) >= 8, 'recovery codes');
  await stage.shoot('first-codes', page);

  // With scripts, the same session is in the console.
  const console = await stage.window();
  await console.context().addCookies(await page.context().cookies());
  await stage.show(console, '/');
  await console.getByRole('navigation').first().waitFor();
  await stage.shoot('first-home', console);

  // The link is used up.
  await page.context().clearCookies();
  const again = await page.goto(link);
  assert.ok(again.status() >= 400, 'a link that was used');
  assert.ok(await page.locator('h1').innerText());
  await stage.shoot('first-used', page);
}
