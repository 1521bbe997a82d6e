// Reads KTAP as TAP, by the parser of npm's tap: the results of the outermost
// level, and what it did not like.
import {input, load, output} from './packages.mjs';

const {Parser} = load('tap-parser');
const parser = new Parser();
const results = [], errors = [];
parser.on('assert', (result) => results.push({
  ok: result.ok,
  number: result.id,
  name: result.name,
  skipped: result.skip || '',
}));
parser.on('complete', (all) => {
  for (const failure of all.failures ?? [])
    if (failure.tapError) errors.push(failure.tapError);
  if (all.bailout) errors.push('bailed out');
  output({results, errors, planned: all.plan?.end ?? -1});
});
parser.end(input());
