#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""make image: the kernel and the guest it boots, without booting it."""
import guest
import kernel
from common import main, say, shown


def image():
    say(f'{shown(kernel.build())} and {shown(guest.build())} are ready')
    return 0


if __name__ == '__main__':
    main(image)
