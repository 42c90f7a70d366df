/**
 * Reads the TAP of one test file line by line, and says at its end what people want to know: whether it passed, what
 * failed and why, and what tests say in comments (seeds, summaries of long rounds).
 */
export class TapReport {
  passed = 0;
  failed = 0;
  #complete = false;
  #said = [];
  #failures = [];
  /** Lines of the diagnosis that follows a failed assertion, while it lasts. */
  #diagnosis;
  #lastIndent = 0;

  line(text) {
    const indent = text.length - text.trimStart().length;
    if (this.#diagnosis !== undefined) {
      this.#continueDiagnosis(text, indent);
      return;
    }
    if (text.startsWith('# { total:')) this.#sums(text);
    else if (/^ *not ok \d+/.test(text) && !/# (TODO|SKIP)/.test(text)) this.#failure(text, indent);
    else if (/^ *# (?!Subtest|time=|\{ total|No tests)/.test(text)) this.#said.push(text.trim());
    if (text.trim() !== '') this.#lastIndent = indent;
  }

  /** The file's program has ended. Answers the lines to print. */
  end({ name, milliseconds, code, signal }) {
    if (code !== 0 && this.failed === 0)
      this.#fail(signal === null ? `it ended with exit code ${code}` : `it was ended by ${signal}`);
    else if (!this.#complete) this.#fail('it ended before its tests did');
    const mark = this.failed === 0 ? 'ok  ' : 'FAIL';
    return [
      `${mark} ${name} ${Math.round(milliseconds)} ms`,
      ...[...this.#said, ...this.#failures].map((line) => `     ${line}`),
    ];
  }

  #fail(why) {
    this.failed += 1;
    this.#failures.push(why);
  }

  /** The sums tap closes its report with: `# { total: 11, pass: 4, fail: 3, todo: 2, skip: 2 }`. */
  #sums(text) {
    const sum = (name) => Number(text.match(new RegExp(`${name}: (\\d+)`))?.[1] ?? 0);
    const unfinished = sum('todo') + sum('skip');
    if (unfinished > 0) this.#said.push(`${unfinished} assertions are skipped or to do; they count as failed`);
    this.#complete = true;
    this.passed += sum('pass');
    this.failed += sum('fail') + unfinished;
  }

  /** A test that failed because something in it did comes right after that, and has nothing to add but its name. */
  #failure(text, indent) {
    this.#failures.push(
      text
        .trim()
        .replace(/ # time=.*$/, '')
        .replace(/ \{$/, ''),
    );
    const why = this.#lastIndent <= indent;
    this.#diagnosis = { tell: why ? (line) => this.#failures.push(line) : () => undefined };
  }

  #continueDiagnosis(text, indent) {
    const { tell, begin } = this.#diagnosis;
    if (begin === undefined && text.trim() !== '---') {
      this.#diagnosis = undefined;
      this.line(text);
    } else if (begin === undefined) {
      this.#diagnosis.begin = indent;
    } else if (text.trim() === '...' && indent === begin) {
      this.#diagnosis = undefined;
    } else {
      tell(`  ${text.slice(begin)}`);
    }
  }
}
