"""English past tenses from pairs of words: walk walked, stop stopped, go went. Every fifth verb is held out.

The rules of spelling can be learned, not the past of an irregular verb that was never shown: at best it is like others.

    apmdm check examples/past_tense.py
    apmdm train examples/past_tense.py
    apmdm eval examples/past_tense.py --weights runs/past-tense --num 1000
    python examples/past_tense.py    # what is not right

Measured by these commands on 2 shared cores of an AMD EPYC, one thread: 54 of the 74 verbs held out are right; of 54
regular ones 49 (not campped, faned, gret), of 20 irregular ones 5 (not digged, losed, speaked). Of 64 the right form is
among the five most probable ones. No longer verbs were tried. Training took 12 minutes beside other work.
"""

import re

from apmdm import Settings, Task, generate, load

REGULAR = """act add admire agree aim allow amuse annoy answer appear applaud arrest arrive ask attack avoid bake bang
bark beg behave believe belong blame bless blink boil bolt boss bounce bow brush bury buzz call camp carry cause change
charge chase chat cheat check chew chop clap clean climb close collect comb cook copy cough count cover crash crawl
cross cry damage dance dare decay decide delay deny depend destroy dine divide drag dream dress drip drop drum dry dust
earn empty end enjoy enter escape excuse expect explain fail fan fetch file fill film fix flap float flow fold follow
fry gather glow grab greet grin guess hammer hand happen hate help hop hope hug hunt hurry invite itch jog joke jump
kick kill kiss knit knock label land laugh learn lick like list live load lock look love manage march marry mend miss
mix mop move multiply nag name nod note obey offer open order own pack paint park pass pat phone pick pin place plan
plant play plug point post pour pray press pull push rain reach rely remain reply rescue rest rob roll row rub ruin rush
sail save scan scare scream scrub search share ship shop shout skip slam slap slip smile sniff snow sob sort spot spray
spy stamp stare start stay step stir stop stray study stuff suffer tap taste tease thank tidy tie tip touch trade train
trap treat trim trip trot trust try tug turn twist use vary visit vote wag wait walk wander want warn wash watch wave
whip whisper wilt wipe wish work worry wrap yawn yell zip"""
IRREGULAR = """be was, bear bore, beat beat, become became, begin began, bend bent, bind bound, bite bit, bleed bled,
blow blew, break broke, breed bred, bring brought, build built, buy bought, catch caught, choose chose, come came,
creep crept, cut cut, dig dug, do did, draw drew, drink drank, drive drove, eat ate, fall fell, feed fed, feel felt,
fight fought, find found, flee fled, fly flew, forget forgot, freeze froze, get got, give gave, go went, grind ground,
grow grew, have had, hear heard, hide hid, hit hit, hold held, keep kept, know knew, lead led, leave left, lend lent,
lose lost, make made, mean meant, meet met, pay paid, put put, read read, ride rode, ring rang, rise rose, run ran,
say said, see saw, seek sought, sell sold, send sent, shake shook, shine shone, shoot shot, shrink shrank, sing sang,
sink sank, sit sat, sleep slept, slide slid, speak spoke, spend spent, spin spun, stand stood, steal stole, stick stuck,
sting stung, strike struck, swear swore, sweep swept, swim swam, swing swung, take took, teach taught, tear tore,
tell told, think thought, throw threw, wake woke, wear wore, weep wept, win won, wind wound, write wrote"""


def past(verb: str) -> str:
    if re.search("[^aeiou]y$", verb):
        return verb[:-1] + "ied"
    doubled = re.fullmatch("[^aeiou]+[aeiou]([^aeiouwxy])", verb)
    return verb + (doubled[1] if doubled else "") + "ed"[verb.endswith("e") :]


regular = [(verb, past(verb)) for verb in REGULAR.split()]
irregular = [tuple(pair.split()) for pair in IRREGULAR.split(",")]
learned = [pair for pairs in (regular, irregular) for number, pair in enumerate(pairs) if number % 5]
dev = [*regular[::5], *irregular[::5]]
task = Task.from_pairs(learned, dev=dev, name="past-tense", training=Settings(steps=1500))

if __name__ == "__main__":
    for solution in generate(load("runs/past-tense", task), task.dev):
        if not solution.solved:
            print(f"{solution.problem.source}: {solution.answer}, not {solution.problem.target}")
