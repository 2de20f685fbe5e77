"""How shards are dealt: python ray-deal.py"""
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "lab", "sweep", "ray"))
import deal


def lines(*configurations):
    for number, configuration in enumerate(configurations):
        yield json.dumps({"shard": str(number), "configuration": configuration, "model": "m", "from": number, "to": number + 1}) + "\n"


class Dealing(unittest.TestCase):
    def test_a_worker_keeps_to_its_configuration_and_others_take_another(self):
        d = deal.Deal(lines(0, 0, 0, 1, 1, 1))
        self.assertEqual([d.take(w, [1, 2]).id for w in (1, 2, 1, 2, 1, 2)], ["0", "3", "1", "4", "2", "5"])
        self.assertIsNone(d.take(1, [1, 2]))

    def test_one_helps_another_when_its_own_are_done(self):
        d = deal.Deal(lines(0, 1, 1, 1))
        self.assertEqual([d.take(1, [1]).configuration for _ in range(4)], [1, 1, 1, 0])

    def test_what_failed_goes_elsewhere_first_and_ends_after_three_tries(self):
        d = deal.Deal(lines(0, 0))
        bad = d.take(1, [1, 2])
        d.failed(bad, 1, "No.", True)
        self.assertEqual(d.take(1, [1, 2]).id, "1")
        self.assertIsNone(d.take(1, [1, 2]))
        self.assertIs(d.take(2, [1, 2]), bad)
        d.failed(bad, 2, "No.", True)
        self.assertIs(d.take(1, [1, 2]), bad)
        d.failed(bad, 1, "No.", True)
        self.assertEqual((d.waiting, d.poisoned), (0, [(bad, "No. After 3 tries.")]))

    def test_what_is_of_no_use_is_not_tried_again(self):
        d = deal.Deal(lines(0))
        d.failed(d.take(1, [1]), 1, "Row 3 is no prompt.", False)
        self.assertEqual([why for _, why in d.poisoned], ["Row 3 is no prompt."])

    def test_what_was_not_begun_is_no_try(self):
        d = deal.Deal(lines(0))
        for _ in range(5):
            d.back(d.take(1, [1]))
        self.assertEqual(d.take(1, [1]).failed, [])

    def test_a_long_list_is_read_as_it_is_dealt(self):
        read = []
        d = deal.Deal(read.append(1) or line for line in lines(*[0] * 25_000))
        self.assertEqual((len(read), d.read), (deal.AHEAD, False))
        while d.take(1, [1]):
            pass
        self.assertEqual((len(read), d.read, d.total), (25_000, True, 25_000))


unittest.main()
