/**
 * Reads TAP of many test files line by line and tells people about it: a line a file as it ends, what failed and why, and
 * what tests say in comments (seeds, summaries of long rounds).
 */
export class TapReport {
  passed = 0;
  failed = 0;
  #print;
  #failures = [];
  #comments = [];
  /** Lines of the diagnosis that follows a failed assertion, while it lasts. */
  #diagnosis;
  #lastIndent = 0;

  constructor(print) {
    this.#print = print;
  }

  line(text) {
    const indent = text.length - text.trimStart().length;
    if (this.#diagnosis !== undefined) {
      this.#continueDiagnosis(text, indent);
      return;
    }
    if (text.startsWith('# { total:')) this.#sums(text);
    else if (/^(not )?ok \d+/.test(text)) this.#fileEnds(text);
    else if (/^ +not ok \d+/.test(text) && !/# (TODO|SKIP)/.test(text)) this.#failure(text, indent);
    else if (/^ +# (?!Subtest|time=|\{ total|No tests)/.test(text)) this.#comments.push(text.trim());
    if (text.trim() !== '') this.#lastIndent = indent;
  }

  /** The sums tap closes its report with: `# { total: 11, pass: 4, fail: 3, todo: 2, skip: 2 }`. */
  #sums(text) {
    const sum = (name) => Number(text.match(new RegExp(`${name}: (\\d+)`))?.[1] ?? 0);
    const unfinished = sum('todo') + sum('skip');
    if (unfinished > 0) this.#print(`${unfinished} assertions are skipped or to do; they count as failed`);
    this.passed += sum('pass');
    this.failed += sum('fail') + unfinished;
  }

  #fileEnds(text) {
    const [, not, name, time] = text.match(/^(not )?ok \d+ - (.*?)(?: # time=(.*))?$/) ?? [];
    if (name === undefined) return;
    this.#print(`${not ? 'FAIL' : 'ok  '} ${name.replace(/^dist\//, '').replace(/\.js$/, '.ts')} ${time ?? ''}`);
    const lines = [...this.#comments.splice(0), ...this.#failures.splice(0)];
    for (const line of lines) this.#print(`     ${line}`);
    // A file that was killed or left tests behind has no failed assertion; its exit code and signal must do.
    if (not) this.#diagnosis = { tell: lines.length === 0 ? (line) => this.#print(`     ${line}`) : () => undefined };
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
