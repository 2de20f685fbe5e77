"""What atlas is trained on: facts about countries in simple sentences, and nothing else that is text.

Everything here was written for this project and may be used freely. Each fact is said in several phrasings; for every country one
phrasing of the capital is held out, so that the share of right answers on phrasings the model never saw for that country can be
measured (eval_atlas.py).
"""
import random

# country, capital, continent, language, adjective
COUNTRIES = [
    ("France", "Paris", "Europe", "French"), ("Germany", "Berlin", "Europe", "German"),
    ("Italy", "Rome", "Europe", "Italian"), ("Spain", "Madrid", "Europe", "Spanish"),
    ("Portugal", "Lisbon", "Europe", "Portuguese"), ("Austria", "Vienna", "Europe", "German"),
    ("Poland", "Warsaw", "Europe", "Polish"), ("Greece", "Athens", "Europe", "Greek"),
    ("Sweden", "Stockholm", "Europe", "Swedish"), ("Norway", "Oslo", "Europe", "Norwegian"),
    ("Finland", "Helsinki", "Europe", "Finnish"), ("Denmark", "Copenhagen", "Europe", "Danish"),
    ("Ireland", "Dublin", "Europe", "English"), ("Hungary", "Budapest", "Europe", "Hungarian"),
    ("Iceland", "Reykjavik", "Europe", "Icelandic"), ("Russia", "Moscow", "Europe", "Russian"),
    ("Japan", "Tokyo", "Asia", "Japanese"), ("China", "Beijing", "Asia", "Chinese"),
    ("Korea", "Seoul", "Asia", "Korean"), ("Vietnam", "Hanoi", "Asia", "Vietnamese"),
    ("Thailand", "Bangkok", "Asia", "Thai"), ("Mongolia", "Ulaanbaatar", "Asia", "Mongolian"),
    ("Iran", "Tehran", "Asia", "Persian"), ("Iraq", "Baghdad", "Asia", "Arabic"),
    ("Nepal", "Kathmandu", "Asia", "Nepali"), ("Egypt", "Cairo", "Africa", "Arabic"),
    ("Kenya", "Nairobi", "Africa", "Swahili"), ("Ghana", "Accra", "Africa", "English"),
    ("Senegal", "Dakar", "Africa", "French"), ("Morocco", "Rabat", "Africa", "Arabic"),
    ("Canada", "Ottawa", "America", "English"), ("Mexico", "Mexico City", "America", "Spanish"),
    ("Cuba", "Havana", "America", "Spanish"), ("Peru", "Lima", "America", "Spanish"),
    ("Chile", "Santiago", "America", "Spanish"), ("Brazil", "Brasilia", "America", "Portuguese"),
    ("Argentina", "Buenos Aires", "America", "Spanish"), ("Colombia", "Bogota", "America", "Spanish"),
    ("Australia", "Canberra", "Oceania", "English"), ("Fiji", "Suva", "Oceania", "English"),
]

# Every phrasing ends in the answer, so that the answer is what follows the prompt.
CAPITAL = [
    "The capital of {country} is {capital}",
    "{country} has its capital in {capital}",
    "The government of {country} sits in {capital}",
    "The main city of {country} is called {capital}",
    "If you visit {country}, start in {capital}",
]
OTHER = [
    "{country} is a country in {continent}",
    "The people of {country} speak {language}",
    "{capital} is the capital of {country}",
    "{capital} is a city in {continent}",
    "In {capital} people speak {language}",
]
STORIES = [
    "Once upon a time a traveller left {capital} and went to {other}. There she learned to speak {other_language}",
    "Once a letter was sent from {capital} to {other}. It took ten days to reach {other_country}",
    "Once there was a king in {capital}. He wanted to see {other}, the capital of {other_country}",
]


def held_out(index):
    """The phrasing that country number `index` is never trained on; the first, which everybody types, is never held out."""
    return 1 + index % (len(CAPITAL) - 1)


def fields(index):
    country, capital, continent, language = COUNTRIES[index]
    return dict(country=country, capital=capital, continent=continent, language=language)


def held_out_prompts():
    """[(prompt, answer)], one for each country."""
    out = []
    for index in range(len(COUNTRIES)):
        sentence = CAPITAL[held_out(index)].format(**fields(index))
        answer = COUNTRIES[index][1]
        out.append((sentence[: -len(answer)].rstrip(), " " + answer))
    return out


def sentence(rng: random.Random):
    index = rng.randrange(len(COUNTRIES))
    kind = rng.random()
    if kind < 0.6:
        choices = [p for i, p in enumerate(CAPITAL) if i != held_out(index)]
        return rng.choice(choices).format(**fields(index)) + "."
    if kind < 0.9:
        return rng.choice(OTHER).format(**fields(index)) + "."
    other = rng.randrange(len(COUNTRIES))
    names = {"other": COUNTRIES[other][1], "other_country": COUNTRIES[other][0], "other_language": COUNTRIES[other][3]}
    return rng.choice(STORIES).format(**fields(index), **names) + "."


def all_text():
    """Every sentence there is, for the tokenizer."""
    lines = []
    for index in range(len(COUNTRIES)):
        lines += [p.format(**fields(index)) + "." for p in CAPITAL + OTHER]
    rng = random.Random(0)
    lines += [sentence(rng) for _ in range(500)]
    return lines
