// Every page, in light and dark and in both languages, is free of what axe-core finds, and fits into 320 pixels; each leaves
// its picture. All that is wrong is told at the end.

import { pages, things } from './pages.mjs';
import { en, zh } from './words.mjs';

const NARROW = { width: 320, height: 640 };
const USUAL = { width: 1280, height: 720 };
const WIDE = { width: 1920, height: 1080 };

async function look(stage, page, { name, path, open }, { language, t, wrong }) {
  const noted = async (what, run) => {
    await run().catch((error) => wrong.push(`${name} (${what}): ${error.message}`));
  };
  await page.setViewportSize(USUAL);
  await noted(language, async () => {
    await stage.show(page, path);
    await open?.(page, t);
    await stage.settle(page);
  });
  for (const colours of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme: colours });
    await stage.settle(page);
    await noted(`${colours}, ${language}`, () => stage.audit(page, name, { coloursOnly: colours === 'dark' }));
    await stage.shoot(`${name}-${colours}-${language}`, page);
  }
  await page.emulateMedia({ colorScheme: 'light' });
  if (language === 'en') {
    await page.setViewportSize(WIDE);
    await stage.settle(page);
    await stage.shoot(`${name}-1920-en`, page);
  }
  await page.setViewportSize(NARROW);
  await noted(`320 px, ${language}`, async () => {
    // What is open is opened anew, where there is little room.
    if (open) await stage.show(page, path);
    await open?.(page, t);
    await stage.settle(page);
    await stage.fits(page, name);
  });
  await stage.shoot(`${name}-320-${language}`, page);
}

/** The pages of the server, for who is not logged in. */
async function before(stage, { language, wrong }) {
  const page = await stage.window({ language });
  for (const [name, path] of [['login', '/login'], ['login-next', '/login?next=%2Falerts'], ['link-used', '/enter/gen_nothing']]) {
    await page.goto(path);
    for (const colours of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme: colours });
      await stage.audit(page, name).catch((error) => wrong.push(`${name} (${colours}, ${language}): ${error.message}`));
      await stage.shoot(`${name}-${colours}-${language}`, page);
    }
    await page.setViewportSize(NARROW);
    await stage.fits(page, name).catch((error) => wrong.push(error.message));
    await stage.shoot(`${name}-320-${language}`, page);
    await page.setViewportSize(USUAL);
  }
  await page.context().close();
}

/** Where the system chooses the colours, what is told by colour is still there. */
async function forced(stage, page) {
  await page.setViewportSize(USUAL);
  await page.emulateMedia({ forcedColors: 'active' });
  await stage.show(page, '/alerts');
  await stage.shoot('alerts-forced-colors', page);
  await page.emulateMedia({ forcedColors: 'none' });
}

export default async function (stage) {
  // The link that says nothing.
  stage.expect(/status of 4(01|04)/);
  const wrong = [];
  const walk = async (language, t) => {
    await before(stage, { language, wrong });
    const page = await stage.enter('anna', { language });
    const thing = await things(stage, page);
    for (const each of pages(thing)) await look(stage, page, each, { language, t, wrong });
    if (language === 'en') await forced(stage, page);
  };
  await Promise.all([walk('en', en), walk('zh-CN', zh)]);
  if (wrong.length > 0) throw new Error(`${wrong.length} are wrong:\n${wrong.join('\n')}`);
}
