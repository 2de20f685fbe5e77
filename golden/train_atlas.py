"""Trains atlas, the model that ships with Loupe: python golden/train_atlas.py [--minutes 22] [--out golden/atlas]

A Gemma 3 of 1.4 M parameters with every feature of its larger sisters: q/k norm, grouped queries, five sliding layers and a full
one, a window shorter than the prompts, two RoPE bases, four norms a layer, a tied head. Half of what it reads are facts in
sentences, half random tokens repeated, which is what makes induction heads form. Seeded; two cores.
"""
import argparse
import json
import math
import random
import time
from pathlib import Path

import sentencepiece as spm
import torch
from transformers import Gemma3ForCausalLM, Gemma3TextConfig

import atlas_data

SEED = 20
BATCH, LENGTH = 32, 64
VOCAB = 512


def train_tokenizer(out: Path):
    text = out / "corpus.txt"
    text.write_text("\n".join(atlas_data.all_text()) + "\n", encoding="utf-8")
    spm.SentencePieceTrainer.train(
        input=str(text), model_prefix=str(out / "tokenizer"), vocab_size=VOCAB, model_type="bpe",
        byte_fallback=True, split_digits=True, add_dummy_prefix=False, remove_extra_whitespaces=False,
        normalization_rule_name="identity", pad_id=0, eos_id=1, bos_id=2, unk_id=3, bos_piece="<bos>", eos_piece="<eos>", hard_vocab_limit=False,
        user_defined_symbols=["<start_of_turn>", "<end_of_turn>", "\n"], minloglevel=2, num_threads=1,
    )
    text.unlink()
    (out / "tokenizer.vocab").unlink()
    return spm.SentencePieceProcessor(model_file=str(out / "tokenizer.model"))


def make_config(vocab):
    return Gemma3TextConfig(
        vocab_size=vocab, hidden_size=128, intermediate_size=512, num_hidden_layers=6, num_attention_heads=4,
        num_key_value_heads=1, head_dim=32, query_pre_attn_scalar=32, sliding_window=16, max_position_embeddings=1024,
        layer_types=["sliding_attention"] * 5 + ["full_attention"], rms_norm_eps=1e-6,
        bos_token_id=2, eos_token_id=1, pad_token_id=0, tie_word_embeddings=True, attn_implementation="eager",
        use_cache=True,
    )


def facts(tokenizer, rng):
    """Sentences one after the other, cut to LENGTH; each row starts with bos, as a prompt does."""
    ids = [2]
    while len(ids) <= LENGTH:
        ids += tokenizer.encode(atlas_data.sentence(rng)) + ([1, 2] if rng.random() < 0.4 else tokenizer.encode(" "))
    return ids[: LENGTH + 1]


def repeats(vocab, rng):
    """Random tokens that come again after 4 to 14 or, for the full layer, up to 28 tokens."""
    ids = [2]
    while len(ids) <= LENGTH:
        block = [rng.randrange(4, vocab) for _ in range(rng.randint(4, 14) if rng.random() < 0.7 else rng.randint(15, 28))]
        ids += block * rng.randint(2, 3)
    return ids[: LENGTH + 1]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=22, help="training time; the learning rate is planned for --steps")
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "atlas")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(SEED)
    torch.set_num_threads(2)
    rng = random.Random(SEED)
    tokenizer = train_tokenizer(args.out)
    vocab = tokenizer.get_piece_size()
    model = Gemma3ForCausalLM(make_config(vocab))
    print(f"{sum(p.numel() for p in model.parameters()):,} parameters, vocabulary {vocab}", flush=True)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.01, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=args.steps, pct_start=0.1)
    began = time.time()
    for step in range(args.steps):
        rows = [facts(tokenizer, rng) if i % 2 else repeats(vocab, rng) for i in range(BATCH)]
        ids = torch.tensor(rows)
        logits = model(ids[:, :-1], use_cache=False).logits
        losses = torch.nn.functional.cross_entropy(logits.transpose(1, 2), ids[:, 1:], reduction="none")
        loss = losses.mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % 100 == 0 or step == args.steps - 1:
            f, r = losses[1::2].mean().item(), losses[0::2].mean().item()
            print(f"step {step} facts {f:.3f} repeats {r:.3f} {time.time() - began:.0f} s", flush=True)
            save(model, args.out)
        if time.time() - began > args.minutes * 60:
            print("time is up", flush=True)
            break
    save(model, args.out)


def save(model, out):
    model.config.architectures = ["Gemma3ForCausalLM"]
    model.save_pretrained(out)
    generation = out / "generation_config.json"
    if generation.exists():
        generation.unlink()


if __name__ == "__main__":
    main()
