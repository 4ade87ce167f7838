/**
 * A reporter of jest: ends the output with each test that failed, in one line, and with one line of the form that .ci/run counts.
 */
import { relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

/** Of an error, as much as fits a line that is read among others. */
const MESSAGE_CHARACTERS = 300;

export default class TotalsReporter {
  onRunComplete(_contexts, results) {
    for (const line of failuresIn(results.testResults, process.cwd())) process.stdout.write(`${line}\n`);
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    process.stdout.write(`tests: ${results.numPassedTests} passed, ${failed} failed\n`);
  }
}

/** `failed: file › test: what it said (where)`, per test that failed and per file that could not be run. */
export function failuresIn(testResults, root) {
  return testResults.flatMap(
    ({ testFilePath, displayName, testExecError, failureMessage, testResults: tests }) => {
      const file = [displayName?.name, relative(root, testFilePath)].filter(Boolean).join(' ');
      if (testExecError)
        return [`failed: ${file}: ${messageOf(failureMessage ?? testExecError.message, root)}`];
      return tests
        .filter(({ status }) => status === 'failed')
        .map(({ ancestorTitles, title, failureMessages }) => {
          const name = [file, ...ancestorTitles, title].join(' › ');
          return `failed: ${name}: ${messageOf(failureMessages[0] ?? 'it gave no message', root)}`;
        });
    },
  );
}

/** What an error says before its stack, in one line without colours, and the first place of ours in its stack. */
function messageOf(text, root) {
  const plain = stripVTControlCharacters(text);
  const [message] = plain.split(/\n\s+at /);
  const said = message.replace(/\s+/g, ' ').trim();
  const cut = said.length > MESSAGE_CHARACTERS ? `${said.slice(0, MESSAGE_CHARACTERS)}…` : said;
  const places = [...plain.matchAll(/\n\s+at .*?\(?((?:file:\/\/)?\/[^\s()]+:\d+):\d+\)?/g)].map(
    ([, place]) => relative(root, place.replace('file://', '')),
  );
  const place = places.find((path) => !path.startsWith('..') && !path.startsWith('node_modules'));
  return place === undefined ? cut : `${cut} (${place})`;
}
