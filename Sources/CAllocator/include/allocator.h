#pragma once

// Nothing to call: a program that is linked with this allocates from one arena.
