// The packages that report/check/install has put into the folder that is named
// by ATSFUZZ_READERS, for the readers beside this file.
import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {pathToFileURL} from 'node:url';

const folder = `${process.env.ATSFUZZ_READERS}/node_modules`;

// A package, as CommonJS.
export const load = createRequire(`${folder}/`);

// A file of a package: its path.
export const pathOf = (file) => `${folder}/${file}`;

// A file of a package, as an ECMAScript module.
export const loadModule = (file) => import(pathToFileURL(pathOf(file)));

// What is to be read.
export const input = () => readFileSync(0, 'utf8');

// What was understood, for the test.
export const output = (understood) => console.log(JSON.stringify(understood));
