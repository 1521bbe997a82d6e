// Reads Mermaid diagrams, with a NUL between each two, by Mermaid itself: of each
// who takes part, and what is said, as it would be shown.
import {input, load, loadModule, output} from './packages.mjs';

const {JSDOM} = load('jsdom');
const {window} = new JSDOM('');
globalThis.window = window;
globalThis.document = window.document;
const {default: mermaid} = await loadModule('mermaid/dist/mermaid.core.mjs');
mermaid.initialize({securityLevel: 'strict'});

// The parser hands entities on in a spelling of its own; a browser shows them
// in the end.
function shown(text) {
  const html = text.replaceAll('ﬂ°°', '&#').replaceAll('ﬂ°', '&')
                   .replaceAll('¶ß', ';');
  return html.split(/<br\s*\/?>/i).map((line) => {
    const element = document.createElement('p');
    element.innerHTML = line;
    return element.textContent;
  }).join('\n');
}

async function understood(text) {
  // As a renderer does, which refuses what is too long.
  const {maxTextSize} = mermaid.mermaidAPI.getConfig();
  if (text.length > maxTextSize) throw new Error('too long');
  await mermaid.parse(text);
  const {db} = await mermaid.mermaidAPI.getDiagramFromText(text);
  const messages =
      db.getMessages().filter(({message}) => typeof message === 'string');
  return {
    title: shown(db.getDiagramTitle()),
    participants: [...db.getActors()].map(
        ([id, {description}]) => ({id, text: shown(description)})),
    messages: messages.map(({from, to, message, type}) => ({
                             from: from ?? '',
                             to: to ?? '',
                             text: shown(message),
                             note: type === db.LINETYPE.NOTE,
                           })),
  };
}

const all = [];
for (const text of input().split('\0')) {
  try {
    all.push({errors: [], ...await understood(text)});
  } catch (error) {
    all.push({errors: [error.message]});
  }
}
output(all);
