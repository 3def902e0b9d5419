"""The algorithms with confusion matrices once more, vote by vote: slow, to compare with."""

from itertools import permutations

import numpy as np

from groundtruth.aggregation.classification.counts import WorkerCounts


class Plain:
    """Tables of shape (n_items, n_classes); counts of shape (workers, truths, answers)."""

    def __init__(self, votes, stored=None, gold=None, pool=None):
        self.votes = list(zip(votes.items, votes.workers, votes.classes, strict=True))
        self.n_items, self.n_workers, self.n_classes = (
            votes.n_items,
            votes.n_workers,
            votes.n_classes,
        )
        self.stored = stored or WorkerCounts.empty(self.n_workers, self.n_classes)
        self.gold = np.full(self.n_items, -1) if gold is None else gold
        self.per_item = votes.votes_per_item
        self.counted = (self.per_item > 1) | (self.gold >= 0)
        known = self.stored.dense().sum(axis=0)
        self.pool = None if pool is None or self.n_classes < 2 else np.maximum(pool, known)
        self.absent = np.zeros_like(known) if self.pool is None else self.pool - known

    def start(self):
        table = np.full((self.n_items, self.n_classes), 1.0 / self.n_classes)
        for item, _, answer in self.votes:
            table[item, answer] += 1.0
        return self.with_gold(table / table.sum(axis=1, keepdims=True))

    def with_gold(self, table):
        table = table.copy()
        for item in np.flatnonzero(self.gold >= 0):
            table[item] = np.arange(self.n_classes) == self.gold[item]
        return table

    def counts(self, truth):
        counts = self.stored.dense()
        for item, worker, answer in self.votes:
            counts[worker, :, answer] += truth[item] * self.counted[item]
        return counts

    def pooled(self, counts):
        table = counts.sum(axis=0) + self.absent
        return drawn_to_prior(np.trace(table), table.sum(), self.n_classes)

    def several(self, item):
        return float(self.per_item[item] > 1)


def plain_dawid_skene(votes, rounds, *, strength=4.0, stored=None, gold=None):
    plain = Plain(votes, stored, gold)
    truth = shares = plain.start()
    for _ in range(rounds):
        counts = plain.counts(truth)
        prior = one_coin_rows(strength * plain.pooled(counts), strength, plain.n_classes)
        rates = (counts + prior) / (counts + prior).sum(axis=2, keepdims=True)
        log_share = np.log(truth.sum(axis=0) + 1.0)
        scores = np.array([plain.several(item) * log_share for item in range(plain.n_items)])
        for item, worker, answer in plain.votes:
            scores[item] += np.log(rates[worker, :, answer])
        shares = normalized(scores)
        truth = plain.with_gold(shares)
    return shares, truth


def plain_calibrated(
    votes,
    settings,
    *,
    stored=None,
    gold=None,
    max_weights=None,
    population_counts=None,
    earlier_gold=None,
):
    plain = Plain(votes, stored, gold, population_counts)
    n_classes, truth = plain.n_classes, plain.start()
    prior = plain_prior(plain, settings.frequency_weight, earlier_gold)
    for _ in range(settings.max_rounds):
        counts = plain.counts(truth)
        pooled = plain.pooled(counts)
        logs, plain_logs = np.zeros_like(truth), np.zeros_like(truth)
        strengths = [[] for _ in range(plain.n_items)]
        weights, accuracies = [], []
        for item, worker, answer in plain.votes:
            own = truth[item] * plain.counted[item]
            rest = counts[worker].copy()
            rest[:, answer] -= own
            expected = pooled if plain.several(item) else 0.7
            right = np.trace(rest) + settings.accuracy_strength * expected
            accuracy = np.clip(right / (rest.sum() + settings.accuracy_strength), 0.01, 0.99)
            weight = max((n_classes * accuracy - 1) / max(n_classes - 1, 1), 0.05)
            cap = np.inf if max_weights is None else max_weights[worker]
            weights.append(min(weight, cap))
            accuracies.append(accuracy)
            factor = weights[-1] / weight
            rows = rest + settings.strength * like_all(plain, accuracy, item)
            logs[item] += factor * np.log(rows[:, answer] / rows.sum(axis=1))
            odds = accuracy / (1 - accuracy) * max(n_classes - 1, 1)
            strengths[item].append(factor * abs(np.log(odds)))
            plain_logs[item, answer] += factor * np.log(odds)
        extra = np.array([effective(given) - 1.0 for given in strengths])[:, None]
        truth = plain.with_gold(
            normalized(logs / (1 + settings.learning_correlation * extra) + prior)
        )
    tempered = normalized(logs / (1 + settings.correlation * extra) + prior)
    table = plain_mixed(plain, tempered, weights, settings)
    independent = normalized(logs + prior)
    surest = np.minimum(independent, normalized(plain_logs + prior))
    sums = plain_pairs(plain, plain.with_gold(independent), accuracies)
    table = plain_adapted(plain, table, surest, settings.dependence, sums)
    taught = (truth + plain.with_gold(independent)) / 2
    return plain_raised(plain, table, truth, settings, max_weights), taught


def plain_adapted(plain, table, surest, reading, sums):
    """As sure as independent votes would be, by what other items show of independence."""
    table = table.copy()
    for item in range(plain.n_items):
        if plain.per_item[item] < 2:
            continue
        hits, hits_scale, wrong, wrong_scale, pairs = sums.sum(axis=0) - sums[item]
        found = max(hits / max(hits_scale, 1e-9), wrong / max(wrong_scale, 1e-9))
        found = min(max(found, -1.0), 1.0)
        known = reading.prior_pairs * reading.prior_correlation
        correlation = (pairs * found + known) / (pairs + reading.prior_pairs)
        width = reading.dependent - reading.independent
        dependence = np.clip((correlation - reading.independent) / width, 0, 1)
        label = table[item].argmax()
        before = table[item, label]
        after = dependence * before + (1 - dependence) * surest[item, label]
        if after > before:
            table[item] *= (1 - after) / (1 - before)
            table[item, label] = after
    return table


def plain_pairs(plain, likely, accuracies):
    """By item, pair by pair: products of residuals and of deviations, of hits and wrong classes."""
    sums = np.zeros((plain.n_items, 5))
    given = [[] for _ in range(plain.n_items)]
    for (item, _, answer), accuracy in zip(plain.votes, accuracies, strict=True):
        rows = one_coin_rows(accuracy, 1.0, plain.n_classes)
        given[item].append(((np.arange(plain.n_classes) == answer) - rows, rows * (1 - rows)))
    hit = np.eye(plain.n_classes, dtype=bool)
    for item, votes in enumerate(given):
        for (residuals, variances), (others, others_variances) in permutations(votes, 2):
            products = likely[item][:, None] * residuals * others
            deviations = np.sqrt(variances * others_variances)[0]
            sums[item] += (
                products[hit].sum(),
                deviations[0],
                products[~hit].sum(),
                deviations[1:].sum(),
                1,
            )
    return sums


def plain_raised(plain, table, truth, settings, max_weights):
    """Where all votes agree, no less than the best worker alone."""
    n_classes, counts = plain.n_classes, plain.counts(truth)
    for item in range(plain.n_items):
        given = [(worker, answer) for one, worker, answer in plain.votes if one == item]
        answers = {answer for _, answer in given}
        if len(given) < 2 or len(answers) > 1 or n_classes < 2:
            continue
        best = 0.0
        for worker, answer in given:
            rest = counts[worker].copy()
            rest[:, answer] -= truth[item] * plain.counted[item]
            known = np.trace(rest) + settings.accuracy_strength * 0.7
            known = np.clip(known / (rest.sum() + settings.accuracy_strength), 0.01, 0.99)
            rows = settings.strength * n_classes
            known = (np.trace(rest) + rows * known) / (rest.sum() + rows)
            weight = max((n_classes * known - 1) / (n_classes - 1), 0.05)
            cap = np.inf if max_weights is None else max_weights[worker]
            odds = (known * (n_classes - 1) / (1 - known)) ** (min(weight, cap) / weight)
            best = max(best, odds / (odds + n_classes - 1))
        label = answers.pop()
        if table[item, label] < best:
            table[item] *= (1 - best) / (1 - table[item, label])
            table[item, label] = best
    return table


def plain_prior(plain, power, earlier_gold):
    chosen = np.ones(plain.n_classes)
    np.add.at(chosen, [answer for _, _, answer in plain.votes], 1.0)
    chosen += (plain.stored.dense().sum(axis=0) + plain.absent).sum(axis=0)
    chosen = chosen**power / (chosen**power).sum()
    rows = []
    for item in range(plain.n_items):
        known = np.zeros(plain.n_classes) if earlier_gold is None else earlier_gold.copy()
        for other in range(plain.n_items):
            if other != item and plain.gold[other] >= 0:
                known[plain.gold[other]] += 1
        shares = (known + 5 * plain.n_classes * chosen) / (known.sum() + 5 * plain.n_classes)
        rows.append(plain.several(item) * np.log(shares))
    return np.array(rows)


def plain_mixed(plain, tempered, weights, settings):
    smoothing = settings.smoothing * np.mean(weights) or 1.0
    shares = np.full_like(tempered, smoothing / plain.n_classes)
    for (item, _, answer), weight in zip(plain.votes, weights, strict=True):
        shares[item, answer] += weight
    shares /= shares.sum(axis=1, keepdims=True)
    mix = np.where(plain.per_item == 1, 1.0, settings.mix)[:, None]
    return mix * tempered + (1 - mix) * shares


def like_all(plain, accuracy, item):
    """Rates of a worker so accurate who mixes up the classes as all workers do."""
    n_classes, pool = plain.n_classes, plain.pool
    if pool is None or not plain.several(item):
        return one_coin_rows(accuracy, 1.0, n_classes)
    of_all = drawn_to_prior(np.trace(pool), pool.sum(), n_classes)
    rates = np.zeros_like(pool)
    for true in range(n_classes):
        row = pool[true] + 100.0 * one_coin_rows(of_all, 1.0, n_classes)[true]
        row /= row.sum()
        odds = row[true] / (1 - row[true]) / (of_all / (1 - of_all)) * accuracy / (1 - accuracy)
        rates[true] = (1 - np.clip(odds / (1 + odds), 0.005, 0.995)) * row / (1 - row[true])
        rates[true, true] = np.clip(odds / (1 + odds), 0.005, 0.995)
    return rates


def drawn_to_prior(right, given, n_classes):
    prior = min(4 * n_classes, 80)
    return (right + 0.7 * prior) / (given + prior)


def one_coin_rows(right, strength, n_classes):
    rows = np.full((n_classes, n_classes), (strength - right) / max(n_classes - 1, 1))
    np.fill_diagonal(rows, right)
    return rows


def normalized(scores):
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def effective(strengths):
    return max(sum(strengths) / max([*strengths, 1e-9]), 1.0)
