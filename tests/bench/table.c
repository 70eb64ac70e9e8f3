// SPDX-License-Identifier: GPL-2.0-only
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "table.h"

#define WIDTH	10

void samples_add(struct samples *samples, double value)
{
	if (samples->nr < SAMPLES_MAX)
		samples->value[samples->nr++] = value;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double samples_median(const struct samples *samples)
{
	unsigned int nr = samples->nr;
	double sorted[SAMPLES_MAX];

	if (!nr)
		return NAN;
	memcpy(sorted, samples->value, nr * sizeof(*sorted));
	qsort(sorted, nr, sizeof(*sorted), compare);
	return (sorted[(nr - 1) / 2] + sorted[nr / 2]) / 2;
}

double samples_least(const struct samples *samples)
{
	double least = NAN;

	for (unsigned int i = 0; i < samples->nr; i++)
		least = fmin(least, samples->value[i]);
	return least;
}

void cell_head(const char *text)
{
	printf(" %*s", WIDTH, text);
}

static void cell(double value, const char *format)
{
	char text[32] = "-";

	if (!isnan(value))
		snprintf(text, sizeof(text), format, value);
	printf(" %*s", WIDTH, text);
}

void cell_ms(double ns)
{
	double ms = ns / 1e6;

	cell(ms, ms < 10 ? "%.2f ms" : ms < 1000 ? "%.1f ms" : "%.0f ms");
}

void cell_us(double ns)
{
	double us = ns / 1000;

	cell(us, us < 10 ? "%.2f us" : us < 1000 ? "%.1f us" : "%.0f us");
}

void cell_ratio(double value)
{
	cell(value, value < 10 ? "%.2f x" : "%.1f x");
}

void cell_mib(double bytes)
{
	cell(bytes / (1024 * 1024), "%.1f MiB");
}

void cell_end(void)
{
	putchar('\n');
	fflush(stdout);
}
