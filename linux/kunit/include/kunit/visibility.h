#ifndef ATSFUZZ_KUNIT_VISIBILITY_H_
#define ATSFUZZ_KUNIT_VISIBILITY_H_

/* With KUnit the driver's header declares these functions to the test. */
#undef VISIBLE_IF_KUNIT
#define VISIBLE_IF_KUNIT

#endif /* ATSFUZZ_KUNIT_VISIBILITY_H_ */
