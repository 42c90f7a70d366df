import { jsonFlag, serverFlags } from '../client-flags.ts';
import type { ArgumentSpec, Command } from '../command.ts';
import { listFlags } from '../list-flags.ts';

const folderArgument: ArgumentSpec = { name: 'FOLDER', description: 'Id of a folder.' };

const folderLs: Command = {
  name: 'folder ls',
  purpose: 'List the outermost folders, or those right within one; those you may not read are left out.',
  usage: '[FOLDER]',
  arguments: [folderArgument],
  argumentCount: { min: 0, max: 1 },
  flags: [...listFlags('folders'), jsonFlag, ...serverFlags],
  examples: [{ line: 'quasar folder ls', explanation: 'Id, time of creation, name, case number.' }],
  exitCodes: [1, 2, 3, 5, 130],
  run: async (context) => (await import('./list-folders.ts')).listFolders(context),
};

const folderAdd: Command = {
  name: 'folder add',
  purpose: 'Make a folder and print its id; rules of a folder hold for all that is within it.',
  usage: 'NAME',
  arguments: [{ name: 'NAME', description: 'At most 200 characters.' }],
  argumentCount: { min: 1, max: 1 },
  flags: [
    { name: 'in', kind: 'text', value: 'FOLDER', description: 'Within this one; an outermost one otherwise.' },
    { name: 'case', kind: 'text', value: 'NUMBER', description: 'Case number, at most 200 characters.' },
    jsonFlag,
    ...serverFlags,
  ],
  examples: [{ line: 'CASE=$(quasar folder add "Smith v Smith" --case "4 K 12/26")', explanation: 'An outermost folder.' }],
  exitCodes: [1, 2, 3, 4, 5, 130],
  run: async (context) => (await import('./add-folder.ts')).addFolder(context),
};

const folderShow: Command = {
  name: 'folder show',
  purpose: 'Show a folder: its name, case number, and what it is within.',
  usage: 'FOLDER',
  arguments: [folderArgument],
  argumentCount: { min: 1, max: 1 },
  flags: [jsonFlag, ...serverFlags],
  examples: [{ line: 'quasar folder show 0192f3a1-…', explanation: '"quasar acl get folder:ID" shows its rules.' }],
  exitCodes: [1, 2, 3, 5, 130],
  run: async (context) => (await import('./show-folder.ts')).showFolder(context),
};

const folderMv: Command = {
  name: 'folder mv',
  purpose: 'Move a folder with all that is within it into another one; other rules hold for it from then on.',
  usage: 'FOLDER PARENT',
  arguments: [folderArgument, { name: 'PARENT', description: 'Id of the folder it is to be within; none: an outermost one.' }],
  argumentCount: { min: 2, max: 2 },
  flags: [jsonFlag, ...serverFlags],
  examples: [{ line: 'quasar folder mv 0192f3a1-… 0192f3a7-…', explanation: 'Needs acl.admin on both.' }],
  exitCodes: [1, 2, 3, 4, 5, 130],
  run: async (context) => (await import('./move-folder.ts')).moveFolder(context),
};

const folderRm: Command = {
  name: 'folder rm',
  purpose: 'Delete an empty folder.',
  usage: 'FOLDER',
  arguments: [folderArgument],
  argumentCount: { min: 1, max: 1 },
  flags: [jsonFlag, ...serverFlags],
  examples: [{ line: 'quasar folder rm 0192f3a1-…', explanation: 'Move out first what is within it.' }],
  exitCodes: [1, 2, 3, 4, 5, 130],
  run: async (context) => (await import('./delete-folder.ts')).deleteFolder(context),
};

const folderPlace: Command = {
  name: 'folder place',
  purpose: 'Put a document into a folder, out of the one it is in.',
  usage: 'DOCUMENT FOLDER',
  arguments: [
    { name: 'DOCUMENT', description: 'Id of a document.' },
    { name: 'FOLDER', description: 'Id of a folder; none: into no folder.' },
  ],
  argumentCount: { min: 2, max: 2 },
  flags: [jsonFlag, ...serverFlags],
  examples: [{ line: 'quasar folder place 0192f3a1-… 0192f3a7-…', explanation: 'The rules of the folder hold for it at once.' }],
  exitCodes: [1, 2, 3, 4, 5, 130],
  run: async (context) => (await import('./place-document.ts')).placeDocument(context),
};

export const folderCommands: readonly Command[] = [folderLs, folderAdd, folderShow, folderMv, folderRm, folderPlace];
