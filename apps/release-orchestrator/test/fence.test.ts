import { describeFence } from '@repo/testing';

describeFence();
