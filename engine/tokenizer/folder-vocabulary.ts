// The vocabulary of a Hugging Face folder. Most have it twice: tokenizer.model, which is small, and tokenizer.json, which transformers reads.
// A fine-tune's tokenizer.json knows more (added tokens, renamed pieces), and the tokenizer.model beside it is what was there before.

import { basename } from 'node:path';
import { TokenizerError } from '../errors.js';
import { type DeclaredToken, placed, putInto } from './declared-tokens.js';
import { endsOfKeys } from './ends.js';
import { quoted } from './quoted.js';
import { vocabularyFromModel } from './sentencepiece-model.js';
import { vocabularyFromJson } from './tokenizer-json.js';
import { endKeysIn, endKeysOfMap, otherWays, tokensBeside } from './tokens-beside.js';
import type { Vocabulary } from './vocabulary.js';
import type { FolderFiles } from '../weights/source.js';

export interface FolderVocabulary {
  readonly vocabulary: Vocabulary;
  /** The file that was read. */
  readonly path: string;
}

/** The one that fits the embedding and knows more, with what the small files add. What differs is said in `notices`. */
export async function vocabularyOfFolder(
  { folder, model, json, rows }: FolderFiles,
  read: (path: string) => Promise<Uint8Array>,
): Promise<FolderVocabulary> {
  const beside = tokensBeside(folder, rows);
  const ofModel = model === null ? null : vocabularyFromModel(await read(model), model);
  let ofJson: Vocabulary | null = null;
  const notices: string[] = otherWays(folder);
  if (json !== null) {
    try {
      ofJson = vocabularyFromJson(await read(json), json, beside);
    } catch (error) {
      if (ofModel === null || !(error instanceof TokenizerError)) throw error;
      notices.push(`${basename(model!)} is read and not tokenizer.json beside it, which cannot be: ${error.message}`);
    }
  }
  if (ofJson && ofModel) {
    const [first, why] = better(ofJson, ofModel, rows, basename(model!));
    notices.push(...why);
    if (first === ofJson) return { vocabulary: said(byJson(ofJson, ofJson, folder), notices), path: json! };
    const whole = withTokens(first, beside.all([]), model!, rows);
    const around = fits(ofJson, rows) ? byJson(whole, ofJson, folder) : byKeys(whole, folder);
    return { vocabulary: said(around, notices), path: model! };
  }
  if (ofJson) return { vocabulary: said(byJson(ofJson, ofJson, folder), notices), path: json! };
  const whole = withTokens(ofModel!, beside.all([]), model!, rows);
  return { vocabulary: said(byKeys(whole, folder), notices), path: model! };
}

/** What goes around a prompt, beside a tokenizer.model alone: as the keys of the small files say. */
function byKeys(vocabulary: Vocabulary, folder: string): Vocabulary {
  return { ...vocabulary, ends: endsOfKeys(endKeysIn(folder), text => idIn(vocabulary, text)) };
}

/**
 * The same where there is a tokenizer.json: its post_processor says it, and the keys of tokenizer_config.json are passed over, as in
 * transformers; those of special_tokens_map.json are not.
 */
function byJson(vocabulary: Vocabulary, { ends }: Vocabulary, folder: string): Vocabulary {
  const ofMap = endKeysOfMap(folder);
  if (ofMap)
    return { ...vocabulary, ends: endsOfKeys(ofMap, text => idIn(vocabulary, text), 'special_tokens_map.json') };
  const keys = endKeysIn(folder);
  const said = (name: string, value: boolean) =>
    `tokenizer_config.json says ${name}: ${value}; tokenizer.json is there, and so it is passed over, as in transformers.`;
  const notices: string[] = [];
  if (keys.eos !== null && keys.eos !== (ends?.back.length ?? 0) > 0) notices.push(said('add_eos_token', keys.eos));
  if (ends) {
    if (keys.bos !== null && keys.bos !== ends.front.length > 0) notices.push(said('add_bos_token', keys.bos));
    return { ...vocabulary, ends, notices: [...(vocabulary.notices ?? []), ...notices] };
  }
  // Nothing is put around a prompt then; without a word that it should be so, Gemma's bos stays.
  const none = endsOfKeys({ ...keys, eos: null }, text => idIn(vocabulary, text));
  if (none === null || none.front.length > 0)
    notices.push(
      "tokenizer.json has no post_processor, and transformers puts nothing in front of a prompt then; Gemma's bos is put all the same.",
    );
  return { ...vocabulary, ends: none, notices: [...(vocabulary.notices ?? []), ...notices] };
}

function idIn({ pieces }: Vocabulary, text: string): number | null {
  const id = pieces.indexOf(text);
  return id < 0 ? null : id;
}

/** Whether the model has a row for every piece of its own. */
const fits = (json: Vocabulary, rows: number): boolean => ownPieces(json) <= rows;

/** One more than the largest id of a piece that is no added token. */
const ownPieces = ({ pieces, foreign }: Vocabulary): number =>
  pieces.reduce((n, piece, id) => (piece !== '' && !foreign?.has(id) ? Math.max(n, id + 1) : n), 0);

const said = (vocabulary: Vocabulary, notices: readonly string[]): Vocabulary => ({
  ...vocabulary,
  notices: [...notices, ...(vocabulary.notices ?? [])],
});

/** Which of two vocabularies to read, and what to say of it; nothing when they give the same ids. */
function better(json: Vocabulary, model: Vocabulary, rows: number, name: string): [Vocabulary, string[]] {
  const own = ownPieces(json);
  if (own > rows && model.pieces.length <= rows) {
    return [
      model,
      [`tokenizer.json has ids up to ${own - 1} and the model ${rows} rows, so ${name} beside it is read.`],
    ];
  }
  const more: string[] = [];
  const fewer: string[] = [];
  const renamed: string[] = [];
  let usable = 0; // of what tokenizer.json alone has, what the model has a row for
  for (let id = 0; id < Math.max(json.pieces.length, model.pieces.length); id++) {
    const [a, b] = [json.pieces[id] ?? '', model.pieces[id] ?? ''];
    if (a === b) continue;
    if (b === '') {
      more.push(quoted(a));
      usable += id < rows ? 1 : 0;
    } else if (a === '') fewer.push(quoted(b));
    else renamed.push(`${quoted(b)} is ${quoted(a)}`);
  }
  const plain = (kind: string) => kind === 'normal' || kind === 'byte' || kind === 'unused';
  const taken = (json.added ?? []).filter(
    ({ id, content, lstrip, rstrip, singleWord }) =>
      model.pieces[id] === content && (plain(model.kinds[id]) || lstrip || rstrip || singleWord),
  );
  const tokens = (n: number, list: readonly string[]) =>
    `${n} token${n === 1 ? '' : 's'} (${list.slice(0, 3).join(', ')}${n > 3 ? ' …' : ''})`;
  const reads = 'tokenizer.json is read.';
  if (renamed.length > 0) {
    return [json, [`tokenizer.json and ${name} beside it differ in ${tokens(renamed.length, renamed)}; ${reads}`]];
  }
  if (usable > 0) {
    const without = usable < more.length ? ` The model has no row for ${more.length - usable} of them.` : '';
    return [json, [`tokenizer.json has ${tokens(more.length, more)} that ${name} beside it lacks; ${reads}${without}`]];
  }
  if (taken.length > 0) {
    const list = taken.map(({ content }) => quoted(content));
    return [json, [`tokenizer.json never cuts ${tokens(taken.length, list)}, and ${name} beside it may; ${reads}`]];
  }
  if (fewer.length > 0) {
    return [
      model,
      [`tokenizer.json lacks ${tokens(fewer.length, fewer)} that ${name} beside it has; ${name} is read.`],
    ];
  }
  return [withSpecials(model, json), []];
}

/** Which tokens stand for no text is tokenizer.json's to say: SentencePiece has Gemma's turns as pieces like any other. */
function withSpecials(model: Vocabulary, { added }: Vocabulary): Vocabulary {
  const kinds = [...model.kinds];
  for (const { id, special, content } of added ?? []) {
    if (model.pieces[id] !== content || kinds[id] === 'unknown') continue;
    kinds[id] = special ? 'control' : 'user';
  }
  return { ...model, kinds };
}

/**
 * A SentencePiece vocabulary with what the small files add; itself when they add nothing. Of a piece that is there already a name such as
 * `bos_token` says no more than that it stands for no text: whether it takes the spaces beside it is said by `added_tokens_decoder` alone, as
 * in transformers.
 */
function withTokens(model: Vocabulary, declared: readonly DeclaredToken[], where: string, rows: number): Vocabulary {
  const kindOf = new Map(model.pieces.map((piece, id) => [piece, model.kinds[id]]));
  const tokens = declared.map(token =>
    token.id === null && kindOf.has(token.content)
      ? { ...token, lstrip: false, rstrip: false, singleWord: false }
      : token,
  );
  const silent = new Set(tokens.filter(({ special, assumed }) => special && !assumed).map(({ content }) => content));
  const vocabulary = {
    ...model,
    kinds: model.kinds.map((kind, id) => (kind === 'user' && silent.has(model.pieces[id]) ? 'control' : kind)),
  };
  const adds = tokens.filter(({ content, lstrip, rstrip, singleWord, assumed }) => {
    const kind = kindOf.get(content);
    if (assumed) return false;
    return kind === undefined || kind === 'normal' || kind === 'byte' || lstrip || rstrip || singleWord;
  });
  if (adds.length === 0) return vocabulary;
  const { added, foreign, notices } = placed(tokens, vocabulary.pieces, where, rows);
  const pieces = [...vocabulary.pieces];
  const kinds = [...vocabulary.kinds];
  putInto(pieces, kinds, added, foreign);
  const list = adds.map(({ content }) => quoted(content));
  return {
    ...vocabulary,
    pieces,
    kinds,
    scores: Float32Array.from(pieces, (_, id) => vocabulary.scores[id] ?? 0),
    added,
    foreign,
    notices: [
      `Files beside ${basename(where)} add ${list.length} token${list.length === 1 ? '' : 's'} to it: ${list.slice(0, 3).join(', ')}${list.length > 3 ? ' …' : ''}.`,
      ...notices,
    ],
  };
}
