// Opens the pages of a folder in a real browser, Chromium, as people may: on a
// phone and on a screen, in light and in dark, by keyboard. Tells what is
// wrong with them:
//  - the page itself scrolls sideways;
//  - a script or the browser complains;
//  - anything is asked for but files;
//  - something that can be used is not reached by Tab, or does not show that it
//    has the focus;
//  - axe, which knows the rules of WCAG, finds a violation: of contrast, names,
//    headings, landmarks, table headers.
// pages.mjs FOLDER PAGE...; ATSFUZZ_SCREENSHOTS names a folder for pictures.
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';
import {load, output} from './packages.mjs';

const {chromium} = load('playwright-core');
const {source: axe} = load('axe-core');

const [folder, ...pages] = process.argv.slice(2);
const profile = mkdtempSync(join(tmpdir(), 'pages-'));
const WIDTHS = [360, 1280], SCHEMES = ['light', 'dark'];
const problems = [];

// In the page: what Tab must reach, numbered.
function numberWhatCanBeUsed() {
  const usable = [...document.querySelectorAll(
      'a[href], button, input, select, textarea, summary, [tabindex="0"]')]
                     .filter((element) => element.checkVisibility());
  usable.forEach((element, i) => element.dataset.number = i);
  return usable.map((element) => element.outerHTML.slice(0, 100));
}

// In the page: which of them has the focus, and whether that can be seen.
function focused() {
  const element = document.activeElement;
  if (element === document.body || element === null) return null;
  const {outlineStyle, outlineWidth} = getComputedStyle(element);
  return {
    number: Number(element.dataset.number ?? -1),
    visible: outlineStyle !== 'none' && parseFloat(outlineWidth) > 0,
  };
}

async function checkKeyboard(page, complain) {
  const usable = await page.evaluate(numberWhatCanBeUsed);
  const reached = new Set();
  for (let i = 0; i <= usable.length; ++i) {
    await page.keyboard.press('Tab');
    const now = await page.evaluate(focused);
    if (now === null) break;
    reached.add(now.number);
    if (!now.visible) complain(`focus cannot be seen: ${usable[now.number]}`);
  }
  usable.forEach((html, number) => {
    if (!reached.has(number)) complain(`Tab does not reach ${html}`);
  });
  return usable.length;
}

async function checkAxe(page, complain) {
  await page.evaluate(axe);
  const {violations, passes} = await page.evaluate(() => axe.run());
  for (const {id, help, nodes} of violations) {
    complain(`axe ${id}: ${help}: ${nodes.map(({html}) => html.slice(0, 200))
                 .slice(0, 3).join(' | ')}`);
  }
  return passes.length;
}

async function check(context, name, width, scheme) {
  const page = await context.newPage();
  const complain = (what) =>
      problems.push(`${name}, ${width} px, ${scheme}: ${what}`);
  page.on('console', (message) => complain(`console: ${message.text()}`));
  page.on('pageerror', (error) => complain(`error: ${error.message}`));
  page.on('request', (request) => {
    if (!request.url().startsWith('file:')) complain(`asks ${request.url()}`);
  });
  await page.goto(pathToFileURL(join(folder, name)).href);
  const usable = await checkKeyboard(page, complain);
  await page.evaluate(() => {
    for (const each of document.querySelectorAll('details')) each.open = true;
  });
  const wider = await page.evaluate(
      () => document.scrollingElement.scrollWidth -
          document.scrollingElement.clientWidth);
  if (wider > 0) complain(`the page is ${wider} px too wide`);
  const rules = await checkAxe(page, complain);
  if (process.env.ATSFUZZ_SCREENSHOTS) {
    const file = `${name.replaceAll('/', '_')}-${width}-${scheme}.png`;
    await page.screenshot(
        {path: join(process.env.ATSFUZZ_SCREENSHOTS, file), fullPage: true});
  }
  await page.close();
  return {usable, rules};
}

const looked = [];
for (const scheme of SCHEMES) {
  for (const width of WIDTHS) {
    const context = await chromium.launchPersistentContext(profile, {
      executablePath: process.env.ATSFUZZ_CHROMIUM ?? '/usr/bin/chromium',
      headless: true,
      args: [
        '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
        '--disable-background-networking', '--disable-component-update',
        '--disable-sync', '--disable-dev-shm-usage',
      ],
      viewport: {width, height: 800},
      colorScheme: scheme,
    });
    for (const name of pages) {
      looked.push(await check(context, name, width, scheme));
    }
    await context.close();
  }
}
rmSync(profile, {recursive: true, force: true});
output({
  problems,
  looked: looked.length,
  usable: Math.min(...looked.map(({usable}) => usable)),
  rules: Math.min(...looked.map(({rules}) => rules)),
});
