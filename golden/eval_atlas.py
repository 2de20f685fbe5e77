"""How good atlas is: python golden/eval_atlas.py

Capitals in the phrasing everybody types, capitals in phrasings the model never saw for that country, how often it copies a
repeated random sequence, and which heads are induction heads: those that, at the second occurrence of a token, look at the token
after its first one.
"""
import random
from pathlib import Path

import sentencepiece as spm
import torch
from transformers import Gemma3ForCausalLM

import atlas_data

FOLDER = Path(__file__).parent / "atlas"


def answers(model, tokenizer, prompt, answer):
    ids = [2] + tokenizer.encode(prompt)
    want = tokenizer.encode(answer)
    with torch.no_grad():
        for expected in want:
            if model(torch.tensor([ids])).logits[0, -1].argmax().item() != expected:
                return False
            ids.append(expected)
    return True


def main():
    model = Gemma3ForCausalLM.from_pretrained(FOLDER, dtype=torch.float32, attn_implementation="eager").eval()
    tokenizer = spm.SentencePieceProcessor(model_file=str(FOLDER / "tokenizer.model"))
    known = [(f"The capital of {c} is", f" {capital}") for c, capital, *_ in atlas_data.COUNTRIES]
    for name, prompts in (("capitals as trained", known), ("capitals, held-out phrasings", atlas_data.held_out_prompts())):
        right = sum(answers(model, tokenizer, *p) for p in prompts)
        print(f"{name}: {right} of {len(prompts)} ({100 * right / len(prompts):.0f} %)")
    rng, vocab, period = random.Random(1), tokenizer.get_piece_size(), 10
    rows = [[2] + [rng.randrange(4, vocab) for _ in range(period)] * 3 for _ in range(64)]
    ids = torch.tensor(rows)
    with torch.no_grad():
        result = model(ids, output_attentions=True, use_cache=False)
    second = slice(1 + period, 3 * period)
    copied = (result.logits[:, second].argmax(-1) == ids[:, 2 + period : 3 * period + 1]).float().mean().item()
    print(f"copies of a sequence of {period} random tokens: {100 * copied:.0f} % of the tokens")
    scores = []
    for layer, pattern in enumerate(result.attentions):
        for head in range(pattern.shape[1]):
            hits = [pattern[:, head, q, q - period + 1] for q in range(1 + period, 3 * period)]
            scores.append((torch.stack(hits).mean().item(), layer, head))
    for score, layer, head in sorted(scores, reverse=True)[:4]:
        print(f"induction: layer {layer} head {head} puts {100 * score:.0f} % of its attention on the token after the earlier copy")


if __name__ == "__main__":
    main()
