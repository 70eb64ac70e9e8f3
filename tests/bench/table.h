/* SPDX-License-Identifier: GPL-2.0-only */
/* Figures, the medians of them, and how they are shown. */
#ifndef BENCH_TABLE_H
#define BENCH_TABLE_H

#define SAMPLES_MAX	64

/**
 * struct samples - what was measured, several times
 * @nr: how often
 * @value: each
 */
struct samples {
	unsigned int	nr;
	double		value[SAMPLES_MAX];
};

void samples_add(struct samples *samples, double value);

/* NAN if there is none. */
double samples_median(const struct samples *samples);
double samples_least(const struct samples *samples);

/* One cell each, of a fixed width and with a space before; NAN is a dash. */
void cell_head(const char *text);
void cell_ms(double ns);
void cell_us(double ns);
void cell_ratio(double value);
void cell_mib(double bytes);
void cell_end(void);

#endif /* BENCH_TABLE_H */
