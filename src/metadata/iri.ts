import { QuasarError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import { TextFault } from './text-fault.ts';

declare const brand: unique symbol;

/** An absolute IRI (RFC 3987) in the one form in which we store it. Two that are equal as IRIs are equal as texts. */
export type Iri = string & { readonly [brand]: 'Iri' };

/**
 * The normal form of an IRI: scheme, NID of a URN and host in lower case, hexadecimal digits in upper case, and
 * `urn:quasar:` for its older names `urn:graviton:quasar:` and `urn:graviton:`. Other case stays: it may mean something.
 * Refused is what looks like something else: white space, controls and invisible characters, texts that NFC or NFKC would
 * change, words that mix scripts with the same letters, needless percent-encoding, dot segments, user names.
 */
export function readIri(text: string): Iri | TextFault {
  const fault = faultOf(text);
  if (fault !== undefined) return new TextFault(fault);
  const colon = text.indexOf(':');
  const scheme = text.slice(0, colon).toLowerCase();
  const rest = text.slice(colon + 1).replace(/%[0-9a-f]{2}/gi, (octet) => octet.toUpperCase());
  if (scheme === 'urn') return urnOf(rest);
  return rest.startsWith('//') ? hierarchicalOf(scheme, rest) : (`${scheme}:${rest}` as Iri);
}

/** @throws QuasarError `bad_parameter` that names the parameter. */
export function parseIri(text: string, parameter: string): Iri {
  const iri = readIri(text);
  if (!(iri instanceof TextFault)) return iri;
  throw new QuasarError('bad_parameter', {
    op: 'metadata.parseIri',
    message: `${parameter} ${iri.reason}.`,
    details: { parameter },
  });
}

function faultOf(text: string): string | undefined {
  if (text.length > limits.iriMax) return `is longer than ${limits.iriMax} characters`;
  if (!/^[a-z][a-z0-9+.-]*:./iu.test(text)) return 'is no absolute IRI: it begins with no scheme';
  if (!CHARACTERS.test(text)) return 'has a character that no IRI has, or that cannot be seen';
  if (text.normalize('NFC') !== text) return 'is not in Unicode normal form NFC';
  if (text.normalize('NFKC') !== text) return 'has compatibility characters, which look like others';
  if (/%(?![0-9a-f]{2})/i.test(text)) return 'has a "%" without two hexadecimal digits';
  if (NEEDLESS_ENCODING.test(text)) return 'encodes a character that needs no encoding, or a control character';
  if (text.split('#').length > 2) return 'has two "#"';
  const mixed = text
    .match(/[\p{L}\p{M}]+/gu)
    ?.find((word) => LOOK_ALIKE_SCRIPTS.filter((script) => script.test(word)).length > 1);
  return mixed === undefined ? undefined : 'mixes scripts with look-alike letters in one word';
}

function urnOf(rest: string): Iri | TextFault {
  const [, nid, specific] = /^([a-z0-9][a-z0-9-]{0,30}[a-z0-9]):(.+)$/iu.exec(rest) ?? [];
  if (nid === undefined || specific === undefined)
    return new TextFault('is no URN: it lacks a namespace identifier or what follows it');
  const name = nid.toLowerCase();
  if (name !== 'graviton') return `urn:${name}:${specific}` as Iri;
  const quasar = specific.replace(/^quasar:/i, '');
  return quasar === '' ? new TextFault('is no URN: nothing follows "urn:graviton:quasar:"') : (`urn:quasar:${quasar}` as Iri);
}

function hierarchicalOf(scheme: string, rest: string): Iri | TextFault {
  const [, authority = '', path = ''] = /^\/\/([^/?#]*)(.*)$/u.exec(rest) ?? [];
  if (authority === '') return new TextFault('has no host');
  if (authority.includes('@')) return new TextFault('has a user name');
  if (/\/\.{1,2}(?=[/?#]|$)/.test(path)) return new TextFault('has a dot segment');
  return `${scheme}://${authority.toLowerCase()}${path}` as Iri;
}

/** Of ASCII what RFC 3986 allows; of the rest nothing that is a control, private, unassigned, a separator or invisible. */
const CHARACTERS = /^(?:[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=%]|(?![\p{ASCII}\p{C}\p{Z}\p{Default_Ignorable_Code_Point}]).)+$/u;
/** Letters, digits, "-", ".", "_", "~", and controls. */
const NEEDLESS_ENCODING = /%(?:[01][0-9a-f]|7f|2d|2e|5f|7e|3[0-9]|[46][1-9a-f]|[57][0-9a])/i;
const LOOK_ALIKE_SCRIPTS = [
  /\p{Script=Latin}/u,
  /\p{Script=Greek}/u,
  /\p{Script=Cyrillic}/u,
  /\p{Script=Armenian}/u,
  /\p{Script=Cherokee}/u,
];
