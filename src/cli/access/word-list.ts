import { usage } from '../flags.ts';

/** Words with commas between them: `doc.read,doc.write`. @throws QuasarError `usage` when one is empty. */
export function wordList(text: string, name: string): string[] {
  const words = text.split(',').map((word) => word.trim());
  if (words.includes('')) throw usage(`${name} is a list of words with commas between them, not "${text}".`);
  return words;
}
