#ifndef ATSFUZZ_REPRODUCE_SYMPTOM_FAMILIES_H_
#define ATSFUZZ_REPRODUCE_SYMPTOM_FAMILIES_H_

#include "reproduce/symptom.h"

// Parts of SymptomOf, by what is looked at.
namespace atsfuzz::reproduce {

// Invalidation arrays.
Symptom SymptomOfArray(const Sight& sight);
Symptom SymptomOfAgreement(const Sight& sight);
// Where streams and PASIDs lead, and which master an id leads to.
Symptom SymptomOfAttachment(const Sight& sight);
Symptom SymptomOfMaster(const Sight& sight);
// What an operation that failed has changed.
Symptom SymptomOfChange(const Sight& sight);
// Commands, and the stores between them.
Symptom SymptomOfInvalidation(const Sight& sight);
Symptom SymptomOfOrder(const Sight& sight);

// C: "static const unsigned int which[] = { 3, 4 };" and how it is passed on,
// for what had returned; no declaration and "NULL, 0" for nothing.
struct Which {
  std::string declaration, arguments;
};
Which WhichOf(const Sight& sight);

}  // namespace atsfuzz::reproduce

#endif  // ATSFUZZ_REPRODUCE_SYMPTOM_FAMILIES_H_
