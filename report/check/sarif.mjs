// Holds SARIF to the schema of its standard: what it does not allow.
import {readFileSync} from 'node:fs';
import {input, load, output, pathOf} from './packages.mjs';

const schema = JSON.parse(readFileSync(
    pathOf('@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json')));
const Ajv = load('ajv');
const ajv = new Ajv({allErrors: true, meta: false, schemaId: 'auto'});
ajv.addMetaSchema(load('ajv/lib/refs/json-schema-draft-04.json'));
ajv.addMetaSchema(load('ajv/lib/refs/json-schema-draft-07.json'));
const isValid = ajv.compile(schema);
isValid(JSON.parse(input()));
output({
  errors: (isValid.errors ?? [])
              .map((error) => `${error.dataPath}: ${error.message}`),
});
