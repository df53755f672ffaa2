#!/usr/bin/env -S node --max-semi-space-size=2 --optimize-for-size
import "../dist/main.js";
